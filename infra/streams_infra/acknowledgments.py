"""Findings of cdk-nag that we live with, each with the reason."""

from __future__ import annotations

from aws_cdk import Acknowledgment, Validations
from constructs import Construct


def acknowledge(scope: Construct, **reasons: str) -> None:
    """Accepts rules below a construct: `acknowledge(bucket, S1="why")`.

    The finding stays in the validation report, as suppressed.
    """
    acknowledge_findings(scope, reasons)


def acknowledge_findings(scope: Construct, reasons: dict[str, str]) -> None:
    """The same for findings whose name is no identifier: `IAM5[Resource::*]`."""
    for finding, reason in reasons.items():
        Validations.of(scope).acknowledge(
            Acknowledgment(id=f"AwsSolutions::AwsSolutions-{finding}", reason=reason))
