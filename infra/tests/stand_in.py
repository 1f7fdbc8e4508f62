"""MiniStack, a stand-in for AWS, in a process of its own on a free port of 127.0.0.1."""

from __future__ import annotations

import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

ACCOUNT = "000000000000"
REGION = "us-east-1"
# MiniStack takes an access key of twelve digits for the root of that account; under AUTH only roles are bounded.
ACCESS_KEY_ID = ACCOUNT
SECRET_ACCESS_KEY = "test"


class MiniStack:
    """A running MiniStack; it and all functions that it started have ended when `close` returns."""

    def __init__(self, folder: Path) -> None:
        self._log = folder / "ministack.log"
        self.folder = folder
        with self._log.open("wb") as log:
            # A session of its own: the functions that it starts can be ended with it.
            self._process = subprocess.Popen(
                [sys.executable, "-B", __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log,
                start_new_session=True, cwd=folder,
                env=self._clean_environment() | {"HOME": str(folder), "TMPDIR": str(folder)})
        assert self._process.stdout
        ready, _, _ = select.select([self._process.stdout], [], [], 60)
        line = self._process.stdout.readline() if ready else b""
        if not line:
            self.close()
            raise AssertionError(f"MiniStack did not start:\n{self.log()}")
        self.endpoint = line.decode().strip()

    def environment(self) -> dict[str, str]:
        """The variables that make AWS's tools talk to it."""
        return self._clean_environment() | {
            "AWS_ENDPOINT_URL": self.endpoint, "AWS_ACCESS_KEY_ID": ACCESS_KEY_ID,
            "AWS_SECRET_ACCESS_KEY": SECRET_ACCESS_KEY, "AWS_REGION": REGION, "AWS_DEFAULT_REGION": REGION,
            "AWS_EC2_METADATA_DISABLED": "true", "HOME": str(self.folder)}

    def check_access(self, is_checked: bool) -> None:
        """Turns `AUTH=true` on or off: signatures are verified, and what no policy allows is refused.

        It is off while the CDK deploys, since the roles of `cdk bootstrap` rest on a condition that MiniStack does not
        know (`aws:ResourceAccount`). The account's root stays unbounded.
        """
        assert self._process.stdin and self._process.stdout
        self._process.stdin.write(b"check\n" if is_checked else b"trust\n")
        self._process.stdin.flush()
        assert self._process.stdout.readline() == b"done\n", self.log()

    def log(self) -> str:
        """All that it wrote, what the functions wrote included."""
        return self._log.read_text(errors="replace")

    def close(self) -> None:
        """Ends it and what it started."""
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait(10)
        for stream in (self._process.stdin, self._process.stdout):
            if stream:
                stream.close()

    @staticmethod
    def _clean_environment() -> dict[str, str]:
        return {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "STREAMS_", "CDK_"))}


def _serve() -> None:
    """Serves on a free port until standard input ends; prints the address first."""
    import asyncio
    import threading

    output = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    listener = socket.create_server(("127.0.0.1", 0), backlog=256)
    port = listener.getsockname()[1]
    os.environ.update(
        # Read by MiniStack when it is imported. Its other listeners and Docker stay off.
        GATEWAY_PORT=str(port), BIND_HOST="127.0.0.1", AWS_ENDPOINT_URL=f"http://127.0.0.1:{port}",
        AUTH="false", LOG_LEVEL="INFO", IOT_MTLS_ENABLED="0", SFTP_ENABLED="0",
        DOCKER_HOST=f"unix://{tempfile.gettempdir()}/there-is-no-docker.sock",
        AWS_ACCESS_KEY_ID=ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY=SECRET_ACCESS_KEY, AWS_REGION=REGION)

    from hypercorn.asyncio import serve
    from hypercorn.config import Config
    from ministack import app

    def follow_standard_input() -> None:
        for line in sys.stdin:
            app.AUTH = line == "check\n"
            print("done", file=output, flush=True)
        os.killpg(os.getpid(), signal.SIGKILL)

    threading.Thread(target=follow_standard_input, daemon=True).start()
    config = Config()
    config.bind = [f"fd://{listener.fileno()}"]
    config.keep_alive_timeout = 600
    config.accesslog = None
    print(f"http://127.0.0.1:{port}", file=output, flush=True)
    asyncio.run(serve(app.app, config))


if __name__ == "__main__":
    _serve()
