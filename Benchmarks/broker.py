"""What the Kafka benchmarks talk to: the tests' broker in a process of its own, and a schema registry that knows one schema."""

import http.server
import json
import select
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from measure import NotMeasured


@contextmanager
def broker(program: Path, topics: dict[str, int]) -> Iterator[str]:
    """Starts `TestBroker` with topics of so many partitions and yields its address. It ends with its stdin.

    A partition of its keeps 5 MiB and drops the oldest batches without a word: give it partitions enough.
    """
    if not program.exists():
        raise NotMeasured(f"{program} is not built")
    with subprocess.Popen([str(program)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1) as process:
        assert process.stdin and process.stdout
        answers = process.stdout

        def line() -> list[str]:
            if not select.select([answers], [], [], 30)[0]:
                process.kill()
                raise NotMeasured("TestBroker did not answer within 30 s")
            return answers.readline().split()

        try:
            ready = line()
            if len(ready) != 2 or ready[0] != "ready":
                raise NotMeasured(f"TestBroker said {' '.join(ready) or 'nothing'}")
            for name, partitions in topics.items():
                process.stdin.write(f"topic {name} {partitions}\n")
                if (answer := line()) != ["ok"]:
                    raise NotMeasured(f"TestBroker: topic {name}: {' '.join(answer)}")
            yield ready[1]
        finally:
            process.stdin.close()


@contextmanager
def registry(schema: str, number: int) -> Iterator[str]:
    """Confluent's `GET /schemas/ids/N` for one schema; yields its address."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            known = self.path.split("?")[0] == f"/schemas/ids/{number}"
            body = json.dumps({"schema": schema} if known else {"error_code": 40403, "message": "Schema not found"}).encode()
            self.send_response(200 if known else 404)
            self.send_header("Content-Type", "application/vnd.schemaregistry.v1+json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
