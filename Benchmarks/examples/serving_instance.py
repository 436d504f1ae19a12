#!/usr/bin/env python3
"""A serving instance that keeps three versions warm and swaps a pointer when the champion moves.

    serving_instance.py http://127.0.0.1:8080 fraud pod-1        (HOLDFAST_TOKEN where the server has tokens)

It waits for changes by long poll, so a flip arrives within milliseconds; loading happens before or after the swap, never
during it. What it reports is what proves to the registry that a rollback has somewhere warm to go.
"""
import json, os, sys, time, urllib.parse, urllib.request


class ServingInstance:
    def __init__(self, server, model, name, load):
        self.url = f"{server}/v1/models/{urllib.parse.quote(model, safe='')}"
        self.name, self.load = name, load
        self.loaded, self.serving, self.sequence = {}, (None, None), -1

    def call(self, path, body=None):
        request = urllib.request.Request(self.url + path, body and json.dumps(body).encode())
        if token := os.environ.get("HOLDFAST_TOKEN"):
            request.add_header("Authorization", "Bearer " + token)
        with urllib.request.urlopen(request, timeout=40) as answer:
            return json.loads(answer.read() or "null")  # 204: nothing changed while waiting

    def predict(self, row):
        version, model = self.serving  # one read: a swap in between cannot mix two versions
        return {"version": version, "score": model(row)}

    def take(self, state):
        slots = [s for s in (state["champion"], state["champion-1"], state["champion-2"]) if s]
        for slot in slots:
            if slot["version"] not in self.loaded:
                self.loaded[slot["version"]] = self.load(slot["source"])
            if slot is slots[0]:
                self.serving = (slot["version"], self.loaded[slot["version"]])  # the swap
                self.report()
        self.loaded = {s["version"]: self.loaded[s["version"]] for s in slots}
        self.sequence = state["sequence"]

    def report(self):
        self.call("/fleet", {"instance": self.name, "active": self.serving[0], "loaded": list(self.loaded)})

    def follow(self):
        while True:
            try:
                state = self.call("/champion" + (f"?wait=20s&after={self.sequence}" if self.sequence >= 0 else ""))
                if state and state["champion"]:
                    self.take(state)
                    print("serving", self.serving[0], "warm", *self.loaded, flush=True)
                elif state:  # no champion yet: wait for one
                    self.sequence = state["sequence"]
                self.report()  # also a heartbeat: reports older than a minute do not count
            except Exception as error:  # whatever fails, the version that is loaded goes on serving
                print("registry:", error, file=sys.stderr, flush=True)
                time.sleep(1)


if __name__ == "__main__":
    ServingInstance(*sys.argv[1:4], load=lambda source: lambda row: hash((source, str(row))) % 1000 / 1000).follow()
