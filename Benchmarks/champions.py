#!/usr/bin/env python3
"""How long a flip takes to reach a fleet: WATCHERS long polls on one model, the champion moved FLIPS times.

    champions.py PATH/TO/holdfast [--load PATH/TO/RegistryLoad] [--watchers 1000] [--flips 20] [--stream | --rollback]

With --load the long polls are that program's, in one thread of a few microseconds an answer; without it they are this
interpreter's, which is then most of what is measured.

With --rollback the flip is automatic: version 2 begins to fail, and the time is from the verdict (the log's line of the
alert that fires) to the moment the last watcher has read its answer; once, as a rollback happens once.

Starts a service of its own. Times are from the moment before the promotion is asked for to the moment each watcher has
read its answer, on one machine: client, server and clock are the same. Prints one line of JSON.
"""
import argparse, asyncio, datetime, json, os, pathlib, re, resource, statistics, subprocess, tempfile, time


async def request(port, method, path, body=None):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    data = body.encode() if isinstance(body, str) else json.dumps(body).encode() if body is not None else b""
    writer.write(
        f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {len(data)}\r\nConnection: close\r\n\r\n".encode()
        + data)
    answer = await reader.read()
    writer.close()
    head, _, rest = answer.partition(b"\r\n\r\n")
    status = int(head.split()[1])
    if status >= 300 and status != 304:
        raise SystemExit(f"{method} {path}: {answer[:400]!r}")
    return rest


async def poll(port, sequence, seen, clock=time.perf_counter):
    """One long poll: tells when its answer had come."""
    rest = await request(port, "GET", f"/v1/models/pay/champion?wait=60s&after={sequence}")
    seen.append((clock(), json.loads(rest)["sequence"]))


async def watch(load, port, sequence, watchers):
    """All long polls by RegistryLoad; returns once all have asked."""
    process = await asyncio.create_subprocess_exec(
        load, "watch", str(port), str(watchers), stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        limit=1 << 24)
    process.stdin.write(
        f"GET /v1/models/pay/champion?wait=60s&after={sequence} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
    process.stdin.close()
    assert await process.stdout.readline() == b"ready\n"
    return process


async def stream(port, seen, ready):
    """One stream of events, open for all flips."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 20)
    writer.write(b"GET /v1/champions/stream HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
    while line := await reader.readline():
        if line.startswith(b"id: "):
            seen.append((time.perf_counter(), int(line[4:])))
            ready.set()


RULES = """
groups:
- name: pay
  model: pay
  rules:
  - alert: Drift
    expr: psi{column="a"} > 0.25
    min_rows: 30
    significance: p(0.001)
    for: 2 windows
    actions: [{rollback: {mode: guarded, windows: 2}}]
"""


def event(i, version, value):
    return json.dumps({"model": "pay", "version": version, "id": str(i), "ts": 1_740_000_000 + i,
                       "features": {"a": value}, "prediction": {"score": (i % 100) / 100}})


async def rollback(options, port, folder):
    """Both versions score the same kind of rows; after an hour version 2 reads them a hundredfold."""
    sequence = json.loads(await request(port, "POST", "/v1/models/pay/promote", {"version": "2"}))["sequence"]
    seen = []
    tasks = [asyncio.create_task(poll(port, sequence, seen, time.time)) for _ in range(options.watchers)]
    await asyncio.sleep(1)  # until all of them wait
    for start in range(2_000, 20_000, 300):
        rows = [event(i, "12"[i % 2], i % 97 * (100 if i > 6_000 and i % 2 else 1)) for i in range(start, start + 300)]
        await request(port, "POST", "/v1/events", "\n".join(rows))
        await asyncio.sleep(0.05)
        if seen:
            break
    await asyncio.gather(*tasks)
    log = (folder / "log").read_text()
    line = next(l for l in log.splitlines() if "alert firing" in l)
    stamp = re.search(r"\d{4}-\d\d-\d\dT[\d:.]+Z", line).group().rstrip("Z")
    verdict = datetime.datetime.fromisoformat(stamp).replace(tzinfo=datetime.timezone.utc).timestamp()
    times = sorted(at - verdict for at, _ in seen)
    print(json.dumps({
        "kind": "rollback", "watchers": options.watchers, "first_ms": round(1e3 * times[0], 1),
        "p50_ms": round(1e3 * statistics.median(times), 1), "last_ms": round(1e3 * times[-1], 1),
        "load": os.getloadavg()[0]}))


def cpu(process):
    """Seconds of processor time that a process has used."""
    fields = pathlib.Path(f"/proc/{process.pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def main(options):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, options.watchers * 2 + 500), hard))
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        rows = "\n".join(event(i, "1", i % 97) for i in range(2_000))
        (folder / "rows.jsonl").write_text(rows)
        program = os.path.abspath(options.program)
        run = lambda *a: subprocess.run([program, *a], check=True, cwd=folder, stdout=subprocess.DEVNULL)
        run("reference", "build", "--model", "pay", "rows.jsonl", "-o", "pay.json")
        (folder / "holdfast.yaml").write_text(
            'state: state\nmodels:\n  - name: pay\n    reference: pay.json\n'
            '    window: {pane: 5m, size: 10m, every: 10m, lateness: 1m}\n'
            'rules: [rules.yaml]\nhttp: {listen: "127.0.0.1:0"}\n')
        (folder / "rules.yaml").write_text(RULES)
        for version in ("1", "2"):
            run("registry", "register", "pay", "--version", version, "--source", f"s3://pay/{version}", "--state", "state")
        run("registry", "promote", "pay", "1", "--state", "state")
        log = open(folder / "log", "wb")
        service = subprocess.Popen([program, "serve", "--config", "holdfast.yaml"], cwd=folder, stdout=log, stderr=log)
        try:
            port = None
            while port is None:
                text = (folder / "log").read_text()
                if "http://127.0.0.1:" in text:
                    port = int(text.split("http://127.0.0.1:")[1].split("\"")[0].split()[0].rstrip("/"))
                elif service.poll() is not None:
                    raise SystemExit(text)
                await asyncio.sleep(0.05)
            if options.rollback:
                return await rollback(options, port, folder)
            delays, last, used = [], [], 0
            sequence = json.loads(await request(port, "GET", "/v1/models/pay/champion"))["sequence"]
            seen = []
            if options.stream:
                ready = [asyncio.Event() for _ in range(options.watchers)]
                tasks = [asyncio.create_task(stream(port, seen, r)) for r in ready]
                await asyncio.gather(*(r.wait() for r in ready))
            for flip in range(options.flips):
                seen.clear()
                if options.load:
                    watching = await watch(options.load, port, sequence, options.watchers)
                elif not options.stream:
                    tasks = [asyncio.create_task(poll(port, sequence, seen)) for _ in range(options.watchers)]
                await asyncio.sleep(1)  # until all of them wait
                started, before = time.perf_counter(), cpu(service)
                state = await request(port, "POST", "/v1/models/pay/promote", {"version": "2" if flip % 2 == 0 else "1"})
                sequence = json.loads(state)["sequence"]
                if options.load:
                    times = sorted(at - started for at in json.loads(await watching.stdout.readline())["answered_s"])
                else:
                    while len(seen) < options.watchers:
                        await asyncio.sleep(0.002)
                    assert all(s == sequence for _, s in seen)
                    times = sorted(at - started for at, _ in seen)
                used += cpu(service) - before
                delays += times
                last.append(times[-1])
            delays.sort()
            print(json.dumps({
                "watchers": options.watchers, "flips": options.flips, "kind": "stream" if options.stream else "long poll",
                "p50_ms": round(1e3 * statistics.median(delays), 1), "p99_ms": round(1e3 * delays[int(len(delays) * 0.99)], 1),
                "last_ms_median": round(1e3 * statistics.median(last), 1), "max_ms": round(1e3 * delays[-1], 1),
                "cpu_ms": round(1e3 * used / options.flips, 1), "load": os.getloadavg()[0]}))
        finally:
            service.terminate()
            service.wait(20)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("--load")
    parser.add_argument("--watchers", type=int, default=1_000)
    parser.add_argument("--flips", type=int, default=20)
    parser.add_argument("--stream", action="store_true")
    parser.add_argument("--rollback", action="store_true")
    asyncio.run(main(parser.parse_args()))
