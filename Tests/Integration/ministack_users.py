"""MiniStack with users of its own: only their keys are checked, for signatures and for permissions."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from aws_store import client
from emulators import Credentials, Emulator


class MiniStack:
    """A MiniStack of the test's own, on a free port."""

    def __init__(self, folder: Path, checks_signatures: bool = False) -> None:
        arguments = ["--auth"] if checks_signatures else []
        self.checks_signatures = checks_signatures
        self._emulator = Emulator("ministack", *arguments, log=folder / "ministack.log")

    def close(self) -> None:
        """Ends it."""
        self._emulator.close()

    def client(self, service: str, key: Credentials | None = None) -> Any:
        """A client of boto3, with the root key unless told."""
        return client(service, self._emulator.endpoint, key or self._emulator.credentials, self._emulator.region)

    def user_key(self, policy: str) -> Credentials:
        """The key of a new user with a policy."""
        iam = self.client("iam")
        name = f"user-{os.urandom(4).hex()}"
        iam.create_user(UserName=name)
        iam.put_user_policy(UserName=name, PolicyName="policy", PolicyDocument=policy)
        key = iam.create_access_key(UserName=name)["AccessKey"]
        return Credentials(key["AccessKeyId"], key["SecretAccessKey"])

    def environment(self, key: Credentials | None = None) -> dict[str, str]:
        """What our programs need to use it."""
        key = key or self._emulator.credentials
        return {
            "AWS_ENDPOINT_URL": self._emulator.endpoint, "AWS_REGION": self._emulator.region,
            "AWS_ACCESS_KEY_ID": key.access_key_id, "AWS_SECRET_ACCESS_KEY": key.secret_access_key}
