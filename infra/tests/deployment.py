"""A deployment on the stand-in: its outputs, its API over HTTP, and AWS's own clients to look behind it."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import Any

import boto3

from stand_in import ACCESS_KEY_ID, REGION, SECRET_ACCESS_KEY, MiniStack


@dataclass(frozen=True)
class Answer:
    """An answer of the API."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        """The body, read as JSON."""
        return json.loads(self.body)


@dataclass(frozen=True)
class Deployment:
    """Both stacks of one environment, deployed."""

    cloud: MiniStack
    data: dict[str, str]
    api: dict[str, str]

    @property
    def api_id(self) -> str:
        """The id of the REST API, out of its address."""
        return self.api["ApiUrl"].removeprefix("https://").split(".")[0]

    def call(
        self, method: str, path: str, body: str | bytes | None = None, headers: dict[str, str] | None = None,
    ) -> Answer:
        """A request to the API, at the address that MiniStack has for it."""
        request = urllib.request.Request(
            f"{self.cloud.endpoint}/_aws/execute-api/{self.api_id}/v1{path}", method=method,
            data=body.encode() if isinstance(body, str) else body, headers={"Content-Type": "application/json"} | (headers or {}))
        try:
            answer = urllib.request.urlopen(request, timeout=40)
        except urllib.error.HTTPError as error:
            answer = error
        with answer:
            headers_lower = {name.lower(): value for name, value in answer.headers.items()}
            return Answer(answer.status, headers_lower, answer.read())

    def client(self, service: str, session: dict[str, str] | None = None) -> Any:
        """A client of AWS's own library: with the rights of a role's session, or with those of the account's root."""
        session = session or {"AccessKeyId": ACCESS_KEY_ID, "SecretAccessKey": SECRET_ACCESS_KEY}
        return boto3.client(
            service, endpoint_url=self.cloud.endpoint, region_name=REGION,
            aws_access_key_id=session["AccessKeyId"], aws_secret_access_key=session["SecretAccessKey"],
            aws_session_token=session.get("SessionToken"))
