"""Checks Signature Version 4 on requests as they come over the wire, with nothing but the standard library.

Written from AWS's documents ("Create a signed AWS API request"; for S3 "Authenticating Requests: Using the
Authorization Header"), as strict as the services: everything that must be signed is signed, the payload hash is that of
the body, the time is near, and the target is in its canonical encoding.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import time
from calendar import timegm
from dataclasses import dataclass
from urllib.parse import quote, unquote_to_bytes

AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 Credential=([^/,\s]+)/(\d{8})/([a-z0-9-]+)/([a-z0-9-]+)/aws4_request, "
    r"SignedHeaders=([a-z0-9;-]+), Signature=([0-9a-f]{64})")
SKEW_SECONDS = 15 * 60


@dataclass
class SignedRequest:
    """A request as it was received: the target still encoded, the headers in their order."""

    method: str
    target: str
    headers: list[tuple[str, str]]
    body: bytes

    def values(self, name: str) -> list[str]:
        """The values of a header."""
        return [value for found, value in self.headers if found.lower() == name]


class Refused(Exception):
    """Why a service would refuse the request."""


def check(request: SignedRequest, secrets: dict[str, tuple[str, str | None]], now: float | None = None) -> None:
    """Raises `Refused` unless the request is signed well; `secrets` has secret and token by access key id."""
    authorization = request.values("authorization")
    match = AUTHORIZATION.fullmatch(authorization[0]) if len(authorization) == 1 else None
    if not match:
        raise Refused(f"the Authorization header is missing or malformed: {authorization}")
    key, day, region, service, names, signature = match.groups()
    if key not in secrets:
        raise Refused("InvalidAccessKeyId")
    secret, token = secrets[key]
    signed = names.split(";")
    _check_headers(request, signed, token, service)
    stamp = _check_time(request, day, now)
    _check_payload(request, service)
    canonical = _canonical_request(request, signed, service)
    scope = f"{day}/{region}/{service}/aws4_request"
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    text = f"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{digest}"
    signing_key = b"AWS4" + secret.encode()
    for part in (day, region, service, "aws4_request", text):
        signing_key = hmac.digest(signing_key, part.encode(), "sha256")
    if not hmac.compare_digest(signing_key.hex(), signature):
        raise Refused(f"SignatureDoesNotMatch; the canonical request is\n{canonical}")


def _check_headers(request: SignedRequest, signed: list[str], token: str | None, service: str) -> None:
    if signed != sorted(set(signed)):
        raise Refused("SignedHeaders are not in order")
    present = {name.lower() for name, _ in request.headers}
    must = {name for name in present if name == "host" or name == "content-type" or name.startswith("x-amz-")}
    # Conditions too: whoever could take one off would turn a write-once into an overwrite.
    must |= present & {"if-match", "if-none-match", "content-md5"}
    if missing := must - set(signed):
        raise Refused(f"not signed: {sorted(missing)}")
    if absent := set(signed) - present:
        raise Refused(f"signed and not there: {sorted(absent)}")
    if request.values("x-amz-security-token") != ([token] if token else []):
        raise Refused("InvalidToken")
    if service == "s3" and not request.values("x-amz-content-sha256"):
        raise Refused("S3 wants x-amz-content-sha256")


def _check_time(request: SignedRequest, day: str, now: float | None) -> str:
    stamps = request.values("x-amz-date")
    if len(stamps) != 1 or not re.fullmatch(r"\d{8}T\d{6}Z", stamps[0]) or stamps[0][:8] != day:
        raise Refused(f"x-amz-date is {stamps}, the scope's day {day}")
    signed_at = timegm(time.strptime(stamps[0], "%Y%m%dT%H%M%SZ"))
    if abs((time.time() if now is None else now) - signed_at) > SKEW_SECONDS:
        raise Refused("RequestTimeTooSkewed")
    return stamps[0]


def _check_payload(request: SignedRequest, service: str) -> None:
    digest = hashlib.sha256(request.body).hexdigest()
    if service == "s3" and request.values("x-amz-content-sha256") != [digest]:
        raise Refused("XAmzContentSHA256Mismatch")
    lengths = request.values("content-length")
    if request.body and lengths != [str(len(request.body))]:
        raise Refused(f"Content-Length is {lengths}, the body has {len(request.body)} bytes")


def _canonical_request(request: SignedRequest, signed: list[str], service: str) -> str:
    path, _, query = request.target.partition("?")
    if _encoded(path, "/") != path:
        raise Refused(f"the path is not in its canonical encoding: {path}")
    pairs = []
    for pair in filter(None, query.split("&")):
        name, _, value = pair.partition("=")
        if _encoded(name) != name or _encoded(value) != value:
            raise Refused(f"the query is not in its canonical encoding: {pair}")
        pairs.append((name, value))
    canonical_path = path if service == "s3" else quote(path, safe="/-._~")
    headers = "".join(
        f"{name}:{','.join(' '.join(value.split()) for value in request.values(name))}\n" for name in signed)
    return "\n".join([
        request.method, canonical_path, "&".join(f"{name}={value}" for name, value in sorted(pairs)), headers,
        ";".join(signed), hashlib.sha256(request.body).hexdigest()])


def _encoded(text: str, safe: str = "") -> str:
    return quote(unquote_to_bytes(text), safe=safe + "-._~")
