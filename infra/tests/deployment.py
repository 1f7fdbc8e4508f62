"""A deployment on the stand-in: its outputs, its API over HTTP, and AWS's own clients to look behind it."""

from __future__ import annotations

import json
from contextlib import closing
from dataclasses import dataclass
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

import boto3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from stand_in import ACCESS_KEY_ID, REGION, SECRET_ACCESS_KEY, MiniStack

# The root of the account, whom no policy bounds.
ROOT = Credentials(ACCESS_KEY_ID, SECRET_ACCESS_KEY)


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
        signer: Credentials | None = ROOT,
    ) -> Answer:
        """A request to the API, signed unless `signer` is None, as a client of AWS would send it."""
        endpoint = urlsplit(self.cloud.endpoint)
        # MiniStack tells APIs apart by the host, as AWS does.
        request = AWSRequest(
            method, f"http://{self.api_id}.execute-api.localhost:{endpoint.port}/v1{path}",
            {"Content-Type": "application/json"} | (headers or {}), body.encode() if isinstance(body, str) else body)
        if signer:
            SigV4Auth(signer, "execute-api", REGION).add_auth(request)
        request.headers["Host"] = urlsplit(request.url).netloc
        connection = HTTPConnection("127.0.0.1", endpoint.port, timeout=40)
        with closing(connection):
            connection.request(method, f"/v1{path}", request.body, dict(request.headers))
            answer = connection.getresponse()
            return Answer(answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read())

    def client(self, service: str, session: dict[str, str] | None = None) -> Any:
        """A client of AWS's own library: with the rights of a role's session, or with those of the account's root."""
        session = session or {"AccessKeyId": ACCESS_KEY_ID, "SecretAccessKey": SECRET_ACCESS_KEY}
        return boto3.client(
            service, endpoint_url=self.cloud.endpoint, region_name=REGION,
            aws_access_key_id=session["AccessKeyId"], aws_secret_access_key=session["SecretAccessKey"],
            aws_session_token=session.get("SessionToken"))
