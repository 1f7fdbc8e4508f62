"""Outputs of a stack."""

from __future__ import annotations

from aws_cdk import CfnOutput
from constructs import Construct


def output(scope: Construct, name: str, value: str, description: str) -> None:
    """A stack output under exactly this name."""
    CfnOutput(scope, f"Output{name}", value=value, description=description).override_logical_id(name)
