"""Checks AWS Signature Version 4 as the services do, with botocore computing what the signature should be.

Source: "Create a signed AWS API request", IAM User Guide. Where botocore is laxer than the services (it signs whatever
it is given), the rules of the services are checked here: what must be signed, how a target must be encoded, that the
hash is that of the body, and that the time is within 15 minutes.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from dataclasses import dataclass
from datetime import datetime, timezone
from urllib.parse import quote, unquote_to_bytes

from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.compat import HTTPHeaders
from botocore.credentials import Credentials

SKEW_SECONDS_MAX = 15 * 60
_AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 Credential=([^/,\s]+)/(\d{8})/([a-z0-9-]+)/([a-z0-9-]+)/aws4_request,\s*"
    r"SignedHeaders=([a-z0-9;-]+),\s*Signature=([0-9a-f]{64})$")


class Refused(Exception):
    """A request that the services would refuse, with the code that S3 and that DynamoDB give."""

    def __init__(self, s3: tuple[int, str], dynamodb: tuple[int, str], message: str) -> None:
        super().__init__(message)
        self.s3 = s3
        self.dynamodb = dynamodb
        self.message = message


def _unsigned(message: str) -> Refused:
    return Refused((403, "AccessDenied"), (400, "MissingAuthenticationTokenException"), message)


def _unknown_key(message: str) -> Refused:
    return Refused((403, "InvalidAccessKeyId"), (400, "UnrecognizedClientException"), message)


def _bad_token(message: str) -> Refused:
    return Refused((400, "InvalidToken"), (400, "UnrecognizedClientException"), message)


def _skewed(message: str) -> Refused:
    return Refused((403, "RequestTimeTooSkewed"), (400, "InvalidSignatureException"), message)


def _wrong_hash(message: str) -> Refused:
    return Refused((400, "XAmzContentSHA256Mismatch"), (400, "InvalidSignatureException"), message)


def _mismatch(message: str) -> Refused:
    return Refused((403, "SignatureDoesNotMatch"), (400, "InvalidSignatureException"), message)


@dataclass(frozen=True)
class Request:
    """A request as it came over the wire: the target still encoded, with its query."""

    method: str
    target: str
    headers: list[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> str | None:
        """The first value of a header field."""
        return next((value for each, value in self.headers if each.lower() == name), None)

    @property
    def header_names(self) -> set[str]:
        """The names of all header fields, in lower case."""
        return {name.lower() for name, _ in self.headers}


def check(request: Request, keys: dict[str, tuple[str, str | None]], now: datetime | None = None) -> str:
    """Returns the access key of a rightly signed request; raises `Refused` for any other.

    `keys` has the secret and the session token of each access key.
    """
    authorization = request.header("authorization")
    if not authorization:
        raise _unsigned("There is no Authorization header.")
    match = _AUTHORIZATION.match(authorization)
    if not match:
        raise _unsigned(f"The Authorization header is malformed: {authorization}")
    access_key, day, region, service, signed_names, signature = match.groups()
    if access_key not in keys:
        raise _unknown_key(f"The access key {access_key} is not known.")
    secret, token = keys[access_key]
    if (token or None) != request.header("x-amz-security-token"):
        raise _bad_token("x-amz-security-token is not the token of this access key.")
    date = _check_time(request, day, now or datetime.now(timezone.utc))
    signed = signed_names.split(";")
    _check_signed_names(request, signed, service)
    if service == "s3":
        _check_encoding(request.target)
    _check_hash(request, service)

    sent = AWSRequest(method=request.method, url=f"http://{request.header('host')}{request.target}", data=request.body)
    sent.headers = HTTPHeaders()
    for name, value in request.headers:
        if name.lower() in signed:
            sent.headers.add_header(name.lower(), value)
    sent.context["timestamp"] = date
    signer = (_S3Signer if service == "s3" else _Signer)(Credentials(access_key, secret, token), service, region)
    canonical = signer.canonical_request(sent)
    to_sign = signer.string_to_sign(sent, canonical)
    expected = signer.signature(to_sign, sent)
    if not hmac.compare_digest(expected, signature):
        raise _mismatch(
            f"The signature is {signature} and should be {expected}.\n"
            f"Canonical request:\n{canonical}\nString to sign:\n{to_sign}")
    return access_key


class _Signer(SigV4Auth):
    """Signs the header fields that the client signed, and no others."""

    def headers_to_sign(self, request: AWSRequest) -> HTTPHeaders:
        return request.headers


class _S3Signer(S3SigV4Auth):
    """The same, with the path taken as it is."""

    def headers_to_sign(self, request: AWSRequest) -> HTTPHeaders:
        return request.headers


def _check_time(request: Request, day: str, now: datetime) -> str:
    date = request.header("x-amz-date") or ""
    if not re.fullmatch(r"\d{8}T\d{6}Z", date):
        raise _unsigned("x-amz-date is missing or malformed.")
    if date[:8] != day:
        raise _mismatch("The day of the credential scope is not that of x-amz-date.")
    sent = datetime.strptime(date, "%Y%m%dT%H%M%SZ").replace(tzinfo=timezone.utc)
    if abs((now - sent).total_seconds()) > SKEW_SECONDS_MAX:
        raise _skewed("The difference between the request time and the current time is too large.")
    return date


def _check_signed_names(request: Request, signed: list[str], service: str) -> None:
    if signed != sorted(set(signed)):
        raise _mismatch("SignedHeaders is not in order, or has a name twice.")
    present = request.header_names
    if absent := set(signed) - present:
        raise _mismatch(f"Header fields are signed that are not there: {sorted(absent)}")
    must = {"host"} | {name for name in present if name.startswith("x-amz-")}
    if service != "s3":
        must |= {"content-type"} & present
    if unsigned := must - set(signed):
        raise _unsigned(f"Header fields must be signed and are not: {sorted(unsigned)}")


def _check_encoding(target: str) -> None:
    """S3 encodes the decoded target anew, so that it must have been encoded the one right way."""
    path, _, query = target.partition("?")
    parts = [(path, "/-_.~")]
    parts += [(each, "-_.~") for pair in query.split("&") for each in pair.split("=", 1)]
    for part, safe in parts:
        right = quote(unquote_to_bytes(part), safe=safe)
        if part != right:
            raise _mismatch(f"The target is not encoded as S3 does it: {part} should be {right}")


def _check_hash(request: Request, service: str) -> None:
    claimed = request.header("x-amz-content-sha256")
    if claimed is None:
        if service == "s3":
            raise _unsigned("An S3 request needs x-amz-content-sha256.")
        return
    if claimed.startswith(("UNSIGNED-", "STREAMING-")):
        return
    if claimed != hashlib.sha256(request.body).hexdigest():
        raise _wrong_hash("x-amz-content-sha256 is not the hash of the body.")
