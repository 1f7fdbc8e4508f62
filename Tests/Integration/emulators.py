"""Stand-ins for S3 and DynamoDB, as processes on free ports of 127.0.0.1.

    .venv/bin/python Tests/Integration/emulators.py ministack [--auth]
    .venv/bin/python Tests/Integration/emulators.py moto [--session-token TOKEN]

prints one line of JSON (`endpoint`, `region`, `access_key_id`, `secret_access_key`, `session_token`) when it serves,
and ends when its standard input does: it cannot outlive whoever started it.
"""

from __future__ import annotations

import argparse
import json
import os
import select
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path

REGION = "us-east-1"
ACCESS_KEY_ID = "AKIDSTANDINFORTESTS1"
SECRET_ACCESS_KEY = "not/a+secret/of-anything+but-these/tests1"


@dataclass(frozen=True)
class Credentials:
    """What signs requests."""

    access_key_id: str = ACCESS_KEY_ID
    secret_access_key: str = SECRET_ACCESS_KEY
    session_token: str | None = None


class Emulator:
    """A stand-in in a process of its own; it has ended when `close` returns."""

    def __init__(self, kind: str, *arguments: str, log: Path) -> None:
        from processes import spawn

        self._log = log
        with log.open("ab") as errors:
            self._process: subprocess.Popen[bytes] = spawn(
                [sys.executable, "-B", __file__, kind, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                stderr=errors, bufsize=0)
        assert self._process.stdout
        ready, _, _ = select.select([self._process.stdout], [], [], 60)
        line = self._process.stdout.readline() if ready else b""
        if not line:
            self.close()
            raise AssertionError(f"{kind} did not start: {log.read_text(errors='replace')}")
        settings = json.loads(line)
        self.endpoint: str = settings["endpoint"]
        self.port = int(self.endpoint.rsplit(":", 1)[1])
        self.region: str = settings["region"]
        self.credentials = Credentials(
            settings["access_key_id"], settings["secret_access_key"], settings["session_token"])

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    def log(self) -> str:
        """All that it has written to standard error."""
        return self._log.read_text(errors="replace")

    def close(self) -> None:
        """Ends the process."""
        from processes import end

        end(self._process)


def _end_with_standard_input() -> None:
    try:
        while os.read(0, 4096):
            pass
    finally:
        os._exit(0)


def main(arguments: list[str]) -> None:
    """Serves one stand-in until standard input ends."""
    parser = argparse.ArgumentParser(description="Serves a stand-in for S3 and DynamoDB until standard input ends.")
    parser.add_argument("kind", choices=["ministack", "moto"])
    parser.add_argument("--auth", action="store_true", help="ministack: check signatures and IAM policies")
    parser.add_argument("--session-token", help="moto: the session token that requests must carry")
    options = parser.parse_args(arguments)
    # What the libraries print belongs to the log; standard output is for the one line.
    output = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    threading.Thread(target=_end_with_standard_input, daemon=True).start()

    def ready(port: int) -> None:
        settings = {
            "endpoint": f"http://127.0.0.1:{port}", "region": REGION, "access_key_id": ACCESS_KEY_ID,
            "secret_access_key": SECRET_ACCESS_KEY, "session_token": options.session_token}
        print(json.dumps(settings), file=output, flush=True)

    keys = (ACCESS_KEY_ID, SECRET_ACCESS_KEY)
    try:
        if options.kind == "ministack":
            import emulator_ministack

            emulator_ministack.serve(keys, options.auth, ready)
        else:
            import emulator_moto

            emulator_moto.serve(keys, options.session_token, ready)
    except ImportError as error:
        sys.exit(f"emulators: {error}. Run 'scripts/setup --test', which installs it, and use .venv/bin/python.")


if __name__ == "__main__":
    main(sys.argv[1:])
