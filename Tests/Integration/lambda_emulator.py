"""AWS's own Runtime Interface Emulator, out of the wheel of the SAM CLI."""

from __future__ import annotations

import hashlib
import http.client
import json
import os
import platform
import socket
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import Any

from conditions import wait_until
from processes import REPOSITORY, end, spawn

VERSION = "1.170.0"
#: SHA-256 of the emulator in that wheel.
DIGESTS = {
    "x86_64": "6b1e686e62ab2baf5759c412c4864276ef2a88b094fca53ec070637ccba9b9a5",
    "arm64": "ec2e5d09633d853834c008b1ef264bf834b258a94d551d2b2074966494b39a21",
}
INVOKE = "/2015-03-31/functions/function/invocations"


def emulator() -> Path:
    """The emulator for this machine, downloaded where it is not there yet."""
    machine = {"aarch64": "arm64"}.get(platform.machine(), platform.machine())
    if machine not in DIGESTS:
        raise RuntimeError(f"AWS has no Lambda emulator for {machine}: run these tests on x86_64 or arm64.")
    path = REPOSITORY / f".venv/aws-lambda-rie-{VERSION}-{machine}"
    if not path.exists():
        _download(path, machine)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    assert digest == DIGESTS[machine], f"{path} is not the emulator of SAM CLI {VERSION}: remove it and try again."
    return path


def _download(path: Path, machine: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        command = [
            sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps",
            "--dest", folder, f"aws-sam-cli=={VERSION}",
        ]
        result = subprocess.run(command, capture_output=True, text=True)
        if result.returncode:
            raise RuntimeError(f"pip can not download aws-sam-cli {VERSION}, which holds the emulator:\n{result.stderr}")
        wheel = next(Path(folder).glob("*.whl"))
        with zipfile.ZipFile(wheel) as archive:
            data = archive.read(f"samcli/local/rapid/aws-lambda-rie-{machine}")
    partial = path.with_suffix(".partial")
    partial.write_bytes(data)
    partial.chmod(0o755)
    os.replace(partial, path)


class Emulator:
    """The emulator with a function's program; one invocation at a time."""

    def __init__(self, program: Path, environment: dict[str, str], folder: Path, timeout: int = 30) -> None:
        self.log_path = folder / "emulator.log"
        self.port, runtime_port = _free_port(), _free_port()
        variables = environment | {
            "AWS_LAMBDA_FUNCTION_TIMEOUT": str(timeout), "AWS_LAMBDA_FUNCTION_NAME": "streams",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "256", "AWS_REGION": "us-east-1",
        }
        command = [
            emulator(), "--runtime-interface-emulator-address", f"127.0.0.1:{self.port}",
            "--runtime-api-address", f"127.0.0.1:{runtime_port}", program,
        ]
        with self.log_path.open("ab") as log:
            self._process = spawn(command, variables, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        wait_until(self._listens, "the emulator listens")

    def _listens(self) -> bool:
        assert self._process.poll() is None, self.log()
        with socket.socket() as attempt:
            return attempt.connect_ex(("127.0.0.1", self.port)) == 0

    def invoke(self, event: Any) -> tuple[int, bytes]:
        """Status and body of an invocation."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            body = event if isinstance(event, bytes) else json.dumps(event).encode()
            connection.request("POST", INVOKE, body)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def log(self) -> str:
        """All that the emulator and the function have written."""
        return self.log_path.read_text(errors="replace")

    def close(self) -> None:
        """Ends the emulator, and the function with it."""
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(5)
            except subprocess.TimeoutExpired:
                pass
        end(self._process)


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]
