#!/usr/bin/env python3
"""The registry beside `mlflow server`, in one run with the same client: the program RegistryLoad, whose threads each keep one
connection and send the next request when the last one is answered, so that next to nothing but the server is measured.

    python3 Benchmarks/registry.py HOLDFAST_BINARY [--mlflow MLFLOW_EXECUTABLE] [--seconds 3] [--turns 3] [--json FILE]

The servers take turns, operation by operation, so that what else the machine does hits both; of the turns the one with the
median rate counts. Without an MLflow executable its columns stay empty. Figures: operations a second over all threads, p50
and p99 in milliseconds, and the server's CPU per request. README of the benchmarks says how to read them.
"""

import argparse
import concurrent.futures
import json
import os
import random
import shutil
import signal
import socket
import statistics
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


def prepare(port, count, threads=8):
    """An experiment of `count` runs with 5 metrics, 5 params and 3 tags each; a model with an alias."""
    c = Connection(port)
    experiment = c.json("POST", "experiments/create", {"name": f"bench-{time.time()}"})["experiment_id"]

    def fill(thread):
        own, chance = Connection(port), random.Random(thread)
        for i in range(thread, count, threads):
            run = own.json("POST", "runs/create", {
                "experiment_id": experiment, "run_name": f"run-{i}", "start_time": i})
            own.json("POST", "runs/log-batch", {
                "run_id": run["run"]["info"]["run_id"],
                "metrics": [{"key": f"m{k}", "value": chance.random(), "timestamp": 1, "step": 0} for k in range(5)],
                "params": [{"key": f"p{k}", "value": str(chance.randrange(10))} for k in range(5)],
                "tags": [{"key": f"t{k}", "value": str(chance.randrange(10))} for k in range(3)]})

    with concurrent.futures.ThreadPoolExecutor(threads) as pool:
        list(pool.map(fill, range(threads)))
    name = f"bench{time.time_ns()}"
    c.json("POST", "registered-models/create", {"name": name})
    c.json("POST", "model-versions/create", {"name": name, "source": "s3://bucket/model"})
    c.json("POST", "registered-models/alias", {"name": name, "alias": "live", "version": "1"})
    run = c.json("POST", "runs/create", {"experiment_id": experiment, "start_time": 1})["run"]["info"]["run_id"]
    return {"experiment": experiment, "model": name, "run": run}


def request(port, operation, context):
    """What RegistryLoad sends: see Template.swift for the places that it fills."""
    method, body = "POST", None
    if operation == "log_metric":
        path, body = "runs/log-metric", {
            "run_id": context["run"], "key": "w@THREAD@", "value": 0.5, "timestamp": "#", "step": "#"}
    elif operation == "log_batch_1000":
        path, body = "runs/log-batch", {"run_id": context["run"], "metrics": [
            {"key": f"b@THREAD@-{k % 10}", "value": k * 0.25 + 0.1, "timestamp": "#", "step": k // 10}
            for k in range(1000)]}
    elif operation == "alias_read":
        method, path = "GET", f"registered-models/alias?name={context['model']}&alias=live"
    elif operation == "create_run":
        path, body = "runs/create", {"experiment_id": "0", "run_name": "x", "start_time": 1}
    else:
        order, where = {
            "search_by_metric": (["metrics.m1 DESC"], ""), "search_default": ([], ""),
            "search_filtered": ([], "metrics.m1 > 0.5 AND params.p1 = '3' AND tags.t1 = '4'")}[operation]
        path, body = "runs/search", {
            "experiment_ids": [context["experiment"]], "max_results": 100, "order_by": order, "filter": where}
    head = f"{method} {API}{path} HTTP/1.1\r\nHost: 127.0.0.1:{port}"
    if body is None:
        return f"{head}\r\n\r\n".encode()
    text = json.dumps(body).replace('"#"', "@NUMBER@")
    return f"{head}\r\nContent-Type: application/json\r\n\r\n{text}".encode()


def measure(server, load, operation, context, seconds, threads):
    before = server.cpu()
    done = subprocess.run(
        [load, "load", str(server.port), str(threads), str(seconds)], input=request(server.port, operation, context),
        capture_output=True)
    if done.returncode != 0:
        raise SystemExit(f"{server.name}, {operation}: {done.stderr.decode()}")
    found = json.loads(done.stdout)
    return {
        "per_second": round(found["count"] / found["wall_s"], 1), "p50_ms": round(found["p50_ms"], 3),
        "p99_ms": round(found["p99_ms"], 3), "cpu_ms": round((server.cpu() - before) / found["count"] * 1e3, 4)}


def disk_sync(folder):
    """Milliseconds that the disk takes to make a few kilobytes durable: with 8 clients that wait for their answers, nobody
    commits more than 8 writes in that time."""
    times = []
    with open(os.path.join(folder, "probe"), "wb") as f:
        f.write(bytes(1 << 20))
        for i in range(50):
            os.pwrite(f.fileno(), bytes(8192), i * 8192)
            began = time.perf_counter()
            os.fdatasync(f.fileno())
            times.append(time.perf_counter() - began)
    return round(statistics.median(times) * 1e3, 3)


def flip(options):
    """Milliseconds from a promotion to the answers of 1,000 long polls."""
    done = subprocess.run(
        [sys.executable, os.path.join(os.path.dirname(os.path.abspath(__file__)), "champions.py"), options.holdfast,
         "--load", options.load, "--flips", "10"], capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(f"champions.py: {done.stderr}")
    return json.loads(done.stdout)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("holdfast")
    parser.add_argument("--mlflow")
    parser.add_argument("--load", help="RegistryLoad; beside the holdfast binary where left out")
    parser.add_argument("--seconds", type=int, default=3)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--threads", type=int, default=8)
    parser.add_argument("--runs", type=int, default=10_000)
    parser.add_argument("--mlflow-runs", type=int, help="MLflow takes minutes for 10,000; its own number")
    parser.add_argument("--json")
    options = parser.parse_args()
    options.load = options.load or os.path.join(os.path.dirname(os.path.abspath(options.holdfast)), "RegistryLoad")
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
            turns = {server.name: [] for server in servers}
            for _ in range(options.turns):
                for server in servers:
                    turns[server.name].append(measure(
                        server, options.load, operation, contexts[server.name], options.seconds, threads))
            for name, found in turns.items():
                result[name][operation] = sorted(found, key=lambda f: f["per_second"])[len(found) // 2]
            print(f"{operation}: " + ", ".join(
                f"{name} {[round(f['per_second']) for f in found]} a second" for name, found in turns.items()),
                file=sys.stderr)
        for server in servers:
            result[server.name]["resident_after_mb"] = round(server.resident(), 1)
        result["disk_sync_ms"] = disk_sync(folder)
    finally:
        for server in servers:
            server.stop()
        shutil.rmtree(folder, ignore_errors=True)
    result["flip"] = flip(options)
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
    f = result["flip"]
    print(f"a flip to {f['watchers']} long polls (goal: p99 < 50 ms): p50 {f['p50_ms']}, p99 {f['p99_ms']} ms")
    print(f"the disk makes a write durable in {result['disk_sync_ms']} ms")
    print(f"load average {result['load_average']:.1f} on {result['cores']} cores")


if __name__ == "__main__":
    main()
