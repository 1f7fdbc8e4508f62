"""What API Gateway answers by itself, in the form of the API's own errors and readable by pages on other origins."""

from __future__ import annotations

import json
from dataclasses import dataclass

from aws_cdk import aws_apigateway as apigateway

from streams_infra.settings import Settings

# API Gateway's own sentence, with its quotes ("Variables for access logging and mapping templates").
REASON = "$context.error.messageString"


@dataclass(frozen=True)
class GatewayError:
    """An error that API Gateway answers before or after the function."""

    # "Gateway response types" of the API Gateway Developer Guide.
    type: str
    status: int
    title: str
    code: str
    detail: str
    retry_after_seconds: int | None = None

    def body(self) -> str:
        """The problem document (RFC 9457)."""
        text = json.dumps({
            "type": "about:blank", "title": self.title, "status": self.status, "detail": self.detail,
            "code": self.code})
        return text.replace(f'"{REASON}"', REASON)


def gateway_errors(settings: Settings) -> list[GatewayError]:
    """All errors of API Gateway that have an answer of ours."""
    return [
        GatewayError("DEFAULT_4XX", 400, "Bad Request", "invalid_parameter", REASON),
        GatewayError(
            # After the function has begun, nobody knows how far it got.
            "DEFAULT_5XX", 503, "Service Unavailable", "outcome_unknown",
            "There was no answer from the function. If this was an append, it may have been written: read the end of "
            "the topic before you repeat it.", 1),
        _no_such_route(settings),
        GatewayError(
            "ACCESS_DENIED", 403, "Forbidden", "forbidden",
            "These credentials may not do this; they need execute-api:Invoke on this route."),
        GatewayError(
            "EXPIRED_TOKEN", 403, "Forbidden", "forbidden", "The credentials have expired; get new ones."),
        GatewayError(
            "INVALID_SIGNATURE", 403, "Forbidden", "forbidden",
            "The signature does not match the request; check the secret key, the region and the clock."),
        GatewayError(
            "INVALID_API_KEY", 401, "Unauthorized", "unauthorized", "Send a valid key in the header X-Api-Key."),
        GatewayError(
            "UNAUTHORIZED", 401, "Unauthorized", "unauthorized", "The request carries no valid credentials."),
        GatewayError(
            "RESOURCE_NOT_FOUND", 404, "Not Found", "not_found",
            "There is no such path; see POST /topics/{topic}/produce and GET /topics/{topic}/consume."),
        GatewayError(
            "THROTTLED", 429, "Too Many Requests", "throttled", "Too many requests; send fewer, or larger batches.", 1),
        GatewayError(
            "QUOTA_EXCEEDED", 429, "Too Many Requests", "throttled", "The quota of this key is used up.", 60),
        GatewayError(
            "REQUEST_TOO_LARGE", 413, "Content Too Large", "too_large",
            "The request is too large for Lambda, which takes bodies of about 4.5 MB; send smaller batches."),
        GatewayError(
            "UNSUPPORTED_MEDIA_TYPE", 415, "Unsupported Media Type", "unsupported_media_type",
            "The Content-Type is not one that the API takes."),
        GatewayError(
            "WAF_FILTERED", 403, "Forbidden", "forbidden", "A firewall rule of the operator refused the request."),
    ]


def _no_such_route(settings: Settings) -> GatewayError:
    # API Gateway's name for a path or a method that is not there, and, where signatures are asked for, for a request
    # without one: it does not tell the two apart.
    type_ = "MISSING_AUTHENTICATION_TOKEN"
    if settings.auth == "iam":
        return GatewayError(
            type_, 403, "Forbidden", "forbidden",
            "The request is not signed (AWS Signature Version 4, service execute-api), or there is no such path or "
            "method.")
    return GatewayError(
        type_, 404, "Not Found", "not_found",
        "There is no such path or method; see POST /topics/{topic}/produce and GET /topics/{topic}/consume.")


def add_gateway_errors(api: apigateway.RestApi, settings: Settings) -> None:
    """Adds them to an API."""
    for error in gateway_errors(settings):
        headers = {
            "Content-Type": "'application/problem+json'", "Cache-Control": "'no-store'",
            "Access-Control-Allow-Origin": _allowed_origin(settings),
            "Access-Control-Expose-Headers": "'Retry-After'"}
        if error.retry_after_seconds:
            headers["Retry-After"] = f"'{error.retry_after_seconds}'"
        api.add_gateway_response(
            error.type, type=apigateway.ResponseType.of(error.type), status_code=str(error.status),
            response_headers=headers, templates={"application/json": error.body()})


def _allowed_origin(settings: Settings) -> str:
    if len(settings.allowed_origins) == 1:
        return f"'{settings.allowed_origins[0]}'"
    # One of several can not be chosen here. An error of the gateway holds nothing that a page may not see.
    return "method.request.header.Origin"
