"""The program that signs and calls AWS with our clients, for tests from outside."""

from __future__ import annotations

import base64
import json
import os
import subprocess
from pathlib import Path

from processes import REPOSITORY, end, spawn


def probe_binary() -> Path:
    """The debug build of the probe, or the one that `AWS_PROBE_BINARY` names."""
    path = Path(os.environ.get("AWS_PROBE_BINARY") or REPOSITORY / ".build/debug/aws-probe").absolute()
    if not os.access(path, os.X_OK):
        raise FileNotFoundError(f"There is no program at {path}: run 'swift build --product aws-probe'.")
    return path


class CallFailed(Exception):
    """A call of the clients that threw."""

    def __init__(self, error: dict):
        super().__init__(error["message"])
        self.code: str = error["code"]
        self.effect: str = error["effect"]
        self.message: str = error["message"]


class Probe:
    """One process of the probe; a call at a time."""

    def __init__(self, **environment: str):
        # Nothing of the AWS settings that the caller's shell may have.
        cleared = {name: "" for name in os.environ if name.startswith("AWS_")}
        home = {"HOME": "/nonexistent", "AWS_EC2_METADATA_DISABLED": "true"}
        self._child = spawn(
            [probe_binary()], cleared | home | environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE)

    def __enter__(self) -> Probe:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Ends the process."""
        end(self._child)

    def call(self, name: str, **arguments: object) -> dict:
        """Performs a call and returns its answer; bytes are given and returned as such."""
        body = arguments.get("body")
        if isinstance(body, bytes):
            arguments["body"] = base64.b64encode(body).decode()
        request = {"call": name} | {name: value for name, value in arguments.items() if value is not None}
        self._child.stdin.write(json.dumps(request).encode() + b"\n")
        self._child.stdin.flush()
        line = self._child.stdout.readline()
        if not line:
            raise RuntimeError(f"the probe ended: {self._child.stderr.read().decode()}")
        answer = json.loads(line)
        if answer.get("error"):
            raise CallFailed(answer["error"])
        if "body" in answer:
            answer["body"] = base64.b64decode(answer["body"])
        return answer
