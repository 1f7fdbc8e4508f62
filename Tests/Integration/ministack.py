"""MiniStack: S3 and DynamoDB on this machine, over real HTTP."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

from processes import end, spawn

SECONDS_TO_START = 30
ROOT_KEY = {"AWS_ACCESS_KEY_ID": "000000000000", "AWS_SECRET_ACCESS_KEY": "test"}
REGION = "us-east-1"


class MiniStack:
    """A MiniStack of the test's own, on a free port."""

    def __init__(self, folder: Path, checks_signatures: bool = False):
        program = Path(sys.executable).with_name("ministack")
        if not program.exists():
            raise FileNotFoundError(f"There is no MiniStack at {program}: run 'scripts/setup --test'.")
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        self._log = (folder / f"ministack-{port}.log").open("wb")
        environment = {"BIND_HOST": "127.0.0.1", "GATEWAY_PORT": str(port), "AWS_ENDPOINT_URL": self.url}
        if checks_signatures:
            environment["AUTH"] = "true"
        self._child = spawn([program], environment, stdout=self._log, stderr=subprocess.STDOUT, cwd=folder)

    def start(self) -> MiniStack:
        """Waits until it answers."""
        deadline = time.monotonic() + SECONDS_TO_START
        while time.monotonic() < deadline and self._child.poll() is None:
            try:
                with urllib.request.urlopen(self.url + "/_ministack/health", timeout=1):
                    return self
            except OSError:
                time.sleep(0.05)
        raise RuntimeError(f"MiniStack did not start; its output is in {self._log.name}")

    def close(self) -> None:
        """Ends it."""
        end(self._child)
        self._log.close()

    def client(self, service: str, key: dict[str, str] | None = None):
        """A client of boto3, with the root key unless told."""
        import boto3

        key = key or ROOT_KEY
        return boto3.client(
            service, endpoint_url=self.url, region_name=REGION, aws_access_key_id=key["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=key["AWS_SECRET_ACCESS_KEY"])

    def user_key(self, policy: str) -> dict[str, str]:
        """The key of a new user with a policy: only such keys are checked."""
        iam = self.client("iam")
        name = f"user-{os.urandom(4).hex()}"
        iam.create_user(UserName=name)
        iam.put_user_policy(UserName=name, PolicyName="policy", PolicyDocument=policy)
        key = iam.create_access_key(UserName=name)["AccessKey"]
        return {"AWS_ACCESS_KEY_ID": key["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"]}

    def environment(self, key: dict[str, str] | None = None) -> dict[str, str]:
        """What our programs need to use it."""
        return {"AWS_ENDPOINT_URL": self.url, "AWS_REGION": REGION} | (key or ROOT_KEY)
