"""How things are called: entities in an account, and stacks."""

from __future__ import annotations

from aws_cdk import Aws

DEFAULT_PREFIX = "sls-streams"


def entity_name(prefix: str, resource: str) -> str:
    """`{prefix}-{resource}-{account}`: one name each in an account, whatever the region."""
    return f"{prefix}-{resource}-{Aws.ACCOUNT_ID}"


def stack_name(prefix: str, part: str) -> str:
    """`ServerlessStreamsData`, and with the prefix before it where that is not the default one."""
    name = f"ServerlessStreams{part}"
    return name if prefix == DEFAULT_PREFIX else f"{prefix}-{name}"
