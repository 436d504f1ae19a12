#!/usr/bin/env python3
"""The registry beside `mlflow server`, in one run with the same client code: plain sockets, kept alive, 8 threads in
their own processes, so that the client's interpreter is not what is measured.

    python3 Benchmarks/registry.py HOLDFAST_BINARY [--mlflow MLFLOW_EXECUTABLE] [--seconds 3] [--json FILE]

The servers take turns, operation by operation, so that what else the machine does hits both. Without an MLflow executable
its columns stay empty. Figures: operations a second over all threads, p50 and p99 in milliseconds, and the server's CPU
per request. README of the benchmarks says how to read them.
"""

import argparse
import http.client
import json
import multiprocessing
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

API = "/api/2.0/mlflow/"


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Connection:
    """One keep-alive connection; head and body leave in one write."""

    def __init__(self, port):
        self.port = port
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.file = self.socket.makefile("rb")

    def send(self, method, path, body=b""):
        head = f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\n"
        if method != "GET":
            head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
        self.socket.sendall(head.encode() + b"\r\n" + body)
        status = int(self.file.readline().split()[1])
        length = 0
        while True:
            line = self.file.readline()
            if line in (b"\r\n", b""):
                break
            name, value = line.split(b":", 1)
            if name.lower() == b"content-length":
                length = int(value)
        data = self.file.read(length)
        if status != 200:
            raise RuntimeError(f"{method} {path}: {status} {data[:300]}")
        return data

    def json(self, method, path, body=None):
        return json.loads(self.send(method, API + path, json.dumps(body).encode() if body is not None else b""))


class Server:
    def __init__(self, name, command, port, folder):
        self.name, self.port = name, port
        started = time.monotonic()
        self.log = open(os.path.join(folder, name + ".log"), "wb")
        self.process = subprocess.Popen(
            command, cwd=folder, stdout=self.log, stderr=subprocess.STDOUT, start_new_session=True,
            env={**os.environ, "MLFLOW_DISABLE_TELEMETRY": "true"})
        while True:
            try:
                Connection(port).json("GET", "experiments/get?experiment_id=0")
                break
            except (OSError, IndexError, ValueError, RuntimeError):
                if self.process.poll() is not None or time.monotonic() - started > 180:
                    raise SystemExit(f"{name} did not start: see {self.log.name}")
                time.sleep(0.005)
        self.boot = time.monotonic() - started

    def members(self):
        """The process and all its descendants."""
        found, added = {self.process.pid}, True
        while added:
            added = False
            for entry in filter(str.isdigit, os.listdir("/proc")):
                try:
                    with open(f"/proc/{entry}/stat") as f:
                        parent = int(f.read().rsplit(")", 1)[1].split()[1])
                except OSError:
                    continue
                if parent in found and int(entry) not in found:
                    found.add(int(entry))
                    added = True
        return found

    def resident(self):
        total = 0
        for pid in self.members():
            try:
                with open(f"/proc/{pid}/status") as f:
                    total += sum(int(line.split()[1]) for line in f if line.startswith("VmRSS"))
            except OSError:
                pass
        return total / 1024

    def cpu(self):
        ticks = 0
        for pid in self.members():
            try:
                with open(f"/proc/{pid}/stat") as f:
                    fields = f.read().rsplit(")", 1)[1].split()
                ticks += int(fields[11]) + int(fields[12])
            except OSError:
                pass
        return ticks / os.sysconf("SC_CLK_TCK")

    def stop(self):
        os.killpg(self.process.pid, signal.SIGTERM)
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
        self.log.close()


def prepare(port, count):
    """An experiment of `count` runs with 5 metrics, 5 params and 3 tags each; a model with an alias."""
    c = Connection(port)
    experiment = c.json("POST", "experiments/create", {"name": f"bench-{time.time()}"})["experiment_id"]
    chance = random.Random(1)
    for i in range(count):
        run = c.json("POST", "runs/create", {"experiment_id": experiment, "run_name": f"run-{i}", "start_time": i})
        c.json("POST", "runs/log-batch", {
            "run_id": run["run"]["info"]["run_id"],
            "metrics": [{"key": f"m{k}", "value": chance.random(), "timestamp": 1, "step": 0} for k in range(5)],
            "params": [{"key": f"p{k}", "value": str(chance.randrange(10))} for k in range(5)],
            "tags": [{"key": f"t{k}", "value": str(chance.randrange(10))} for k in range(3)]})
    name = f"bench{time.time_ns()}"
    c.json("POST", "registered-models/create", {"name": name})
    c.json("POST", "model-versions/create", {"name": name, "source": "s3://bucket/model"})
    c.json("POST", "registered-models/alias", {"name": name, "alias": "live", "version": "1"})
    run = c.json("POST", "runs/create", {"experiment_id": experiment, "start_time": 1})["run"]["info"]["run_id"]
    return {"experiment": experiment, "model": name, "run": run}


def request(operation, context, worker, i):
    if operation == "log_metric":
        return "POST", "runs/log-metric", {
            "run_id": context["run"], "key": f"w{worker}", "value": i * 0.5, "timestamp": 1700000000000 + i, "step": i}
    if operation == "log_batch_1000":
        return "POST", "runs/log-batch", {"run_id": context["run"], "metrics": [
            {"key": f"b{worker}-{k % 10}", "value": k * 0.25, "timestamp": 1700000000000 + i, "step": i * 100 + k // 10}
            for k in range(1000)]}
    if operation == "alias_read":
        return "GET", f"registered-models/alias?name={context['model']}&alias=live", None
    if operation == "create_run":
        return "POST", "runs/create", {"experiment_id": "0", "run_name": "x", "start_time": 1}
    order = {"search_by_metric": (["metrics.m1 DESC"], ""), "search_default": ([], ""),
             "search_filtered": ([], "metrics.m1 > 0.5 AND params.p1 = '3' AND tags.t1 = '4'")}[operation]
    return "POST", "runs/search", {
        "experiment_ids": [context["experiment"]], "max_results": 100, "order_by": order[0], "filter": order[1]}


def hammer(port, operation, context, worker, seconds, start, out):
    c = Connection(port)
    prepared = []
    for i in range(20 if operation == "log_batch_1000" else 1):
        method, path, body = request(operation, context, worker, i)
        prepared.append((method, API + path, json.dumps(body).encode() if body else b""))
    times, i = [], 0
    start.wait()
    end = time.perf_counter() + seconds
    while (now := time.perf_counter()) < end:
        if operation == "log_metric":
            method, path, body = request(operation, context, worker, worker * 10_000_000 + time.time_ns() % 10**15)
            c.send(method, API + path, json.dumps(body).encode())
        else:
            c.send(*prepared[i % len(prepared)])
        times.append(time.perf_counter() - now)
        i += 1
    out.put(times)


def measure(server, operation, context, seconds, threads):
    ready, out = multiprocessing.Barrier(threads + 1), multiprocessing.Queue()
    workers = [multiprocessing.Process(
        target=hammer, args=(server.port, operation, context, w, seconds, ready, out)) for w in range(threads)]
    for w in workers:
        w.start()
    ready.wait()
    before, began = server.cpu(), time.perf_counter()
    times = sorted(t for _ in workers for t in out.get())
    for w in workers:
        w.join()
    wall = max(seconds, time.perf_counter() - began)
    return {
        "per_second": round(len(times) / wall, 1), "p50_ms": round(times[len(times) // 2] * 1e3, 3),
        "p99_ms": round(times[min(len(times) - 1, len(times) * 99 // 100)] * 1e3, 3),
        "cpu_ms": round((server.cpu() - before) / len(times) * 1e3, 3)}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("holdfast")
    parser.add_argument("--mlflow")
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("--threads", type=int, default=8)
    parser.add_argument("--runs", type=int, default=10_000)
    parser.add_argument("--mlflow-runs", type=int, help="MLflow takes minutes for 10,000; its own number")
    parser.add_argument("--json")
    options = parser.parse_args()
    folder = tempfile.mkdtemp(prefix="holdfast-registry-bench-")
    servers, contexts, result = [], {}, {}
    try:
        port = free_port()
        with open(os.path.join(folder, "holdfast.yaml"), "w") as f:
            f.write(f'state: state\nmodels: []\nhttp: {{listen: "127.0.0.1:{port}"}}\n')
        servers.append(Server(
            "holdfast", [os.path.abspath(options.holdfast), "serve", "--config", "holdfast.yaml"], port, folder))
        if options.mlflow and os.access(options.mlflow, os.X_OK):
            port = free_port()
            servers.append(Server("mlflow", [
                os.path.abspath(options.mlflow), "server", "--host", "127.0.0.1", "--port", str(port),
                "--backend-store-uri", f"sqlite:///{folder}/mlflow.db", "--artifacts-destination", folder + "/artifacts"],
                port, folder))
        for server in servers:
            count = options.runs if server.name == "holdfast" else options.mlflow_runs or options.runs
            result[server.name] = {"boot_s": round(server.boot, 3), "resident_idle_mb": round(server.resident(), 1),
                                   "runs": count}
            contexts[server.name] = prepare(server.port, count)
        for operation, threads in [
                ("log_metric", options.threads), ("log_batch_1000", options.threads), ("alias_read", options.threads),
                ("create_run", options.threads), ("search_by_metric", 1), ("search_default", 1), ("search_filtered", 1)]:
            for server in servers:
                result[server.name][operation] = measure(
                    server, operation, contexts[server.name], options.seconds, threads)
        for server in servers:
            result[server.name]["resident_after_mb"] = round(server.resident(), 1)
    finally:
        for server in servers:
            server.stop()
        shutil.rmtree(folder, ignore_errors=True)
    result["load_average"] = os.getloadavg()[0]
    result["cores"] = os.cpu_count()
    report(result, [s.name for s in servers])
    if options.json:
        with open(options.json, "w") as f:
            json.dump(result, f, indent=1)
            f.write("\n")


GOALS = {"log_metric": "≥ 5,000/s", "log_batch_1000": "≥ 200/s", "alias_read": "≥ 20,000/s, p99 < 2 ms",
         "search_by_metric": "p50 < 10 ms", "boot_s": "< 0.2 s", "resident_after_mb": "< 150 MB"}


def report(result, names):
    print(f"{'operation':<20}{'goal':<26}" + "".join(f"{n:<48}" for n in names))
    for key in result[names[0]]:
        line = f"{key:<20}{GOALS.get(key, ''):<26}"
        for name in names:
            value = result[name].get(key)
            if isinstance(value, dict):
                value = (f"{value['per_second']:,.0f}/s  p50 {value['p50_ms']:.2f}  p99 {value['p99_ms']:.2f} ms  "
                         f"cpu {value['cpu_ms']:.2f}")
            line += f"{value!s:<48}"
        print(line)
    print(f"load average {result['load_average']:.1f} on {result['cores']} cores")


if __name__ == "__main__":
    main()
