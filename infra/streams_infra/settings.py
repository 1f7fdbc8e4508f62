"""All settings of the deployment, checked: the one place that knows their names, defaults and bounds."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass, field, fields
from typing import Any, Mapping

from streams_infra import setting_kinds as kinds
from streams_infra.names import DEFAULT_PREFIX
from streams_infra.setting_kinds import Kind

# What the CDK CLI itself keeps in the context under a plain name; all else of its own has a colon or a slash.
NAMES_OF_THE_CLI = frozenset({"acknowledged-issue-numbers", "cli-telemetry"})


class SettingError(ValueError):
    """A setting that can not be; the message is a sentence that says what to change."""


def setting(default: object, kind: Kind, meaning: str) -> Any:
    """A field that is a setting: its default, what is allowed, and what it means in the README."""
    return field(default=default, metadata={"kind": kind, "meaning": meaning})


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The settings. On the command line: `-c retentionDays=7`; in `cdk.json`: a member of `context`."""

    prefix: str = setting(
        DEFAULT_PREFIX, kinds.text(r"[a-z]([a-z0-9-]{0,28}[a-z0-9])?", "1 to 30 of `a-z 0-9 -`, a letter first"),
        "What all names begin with. Another prefix is another environment, beside the first.")
    retention_days: int = setting(
        30, kinds.whole_number(1, 365),
        "Days that messages are kept, by the bucket and for readers alike. Above some 50, a topic that is used every "
        "day costs more than one write unit an append.")
    disposable: bool = setting(
        False, kinds.flag(), "For development: `destroy` deletes the bucket with all messages, and the table.")
    auth: str = setting(
        "iam", kinds.one_of("iam", "api-key", "none"), "Who may call: see [Who may call](#who-may-call).")
    allowed_origins: tuple[str, ...] = setting(
        ("*",), kinds.origins(), "Web sites whose pages may call the API (CORS).")
    throttle_rate: int = setting(
        500, kinds.whole_number(1, 10000), "Requests a second that the API takes before it answers `429`.")
    throttle_burst: int = setting(
        1000, kinds.whole_number(1, 5000), "Requests beyond that rate that it takes at once.")
    architecture: str = setting(
        "arm64", kinds.one_of("arm64", "x86_64"), "The function's processor. `bootstrap.zip` must be built for it.")
    memory_megabytes: int = setting(
        256, kinds.whole_number(128, 10240), "The function's memory, and with it its share of a processor.")
    timeout_seconds: int = setting(
        28, kinds.whole_number(3, 900), "Longest run of the function. Above 28 only with `streaming`.")
    reserved_concurrency: int | None = setting(
        None, kinds.optional(kinds.whole_number(1, 10000)),
        "Most copies of the function at once: a bound on cost. Nothing: those of the account.")
    streaming: bool = setting(
        False, kinds.flag(), "Answers are streamed: server-sent events arrive one by one, until the timeout.")
    maintenance_minutes: int = setting(
        60, kinds.whole_number(0, 1440),
        "Minutes from one maintenance to the next, which merges small old objects and deletes what was trimmed. "
        "`0`: none by itself.")
    log_level: str = setting(
        "info", kinds.one_of("trace", "debug", "info", "notice", "warning", "error", "critical"),
        "What the function logs.")
    log_retention_days: int = setting(
        30, kinds.listed_number(kinds.LOG_RETENTION_DAYS), "Days that logs are kept.")
    gateway_log_role: str = setting(
        "create", kinds.one_of("create", "existing"),
        "The account's role for the logs of API Gateway: `existing` leaves the one alone that is set already.")
    dashboard: bool = setting(
        True, kinds.flag(), "A dashboard in CloudWatch; the first three of an account are free.")
    alarm_email: str | None = setting(
        None, kinds.optional(kinds.text(r"[^@\s]+@[^@\s]+\.[^@\s]+", "a mail address")),
        "Who gets a mail when an alarm goes off.")
    alarm_topic_arn: str | None = setting(
        None, kinds.optional(kinds.text(r"arn:[a-z-]+:sns:[a-z0-9-]+:[0-9]{12}:[\w-]+", "the ARN of an SNS topic")),
        "Your own topic for alarms, instead of `alarmEmail`. Its policy must let `cloudwatch.amazonaws.com` (and "
        "`budgets.amazonaws.com`, with a budget) publish.")
    alarm_produce_milliseconds: int = setting(
        3000, kinds.whole_number(50, 29000), "The p99 latency of produce that sets off an alarm.")
    monthly_budget_dollars: int | None = setting(
        None, kinds.optional(kinds.whole_number(1, 1000000)),
        "A budget for the month; a notice at 80 % and when 100 % is forecast. Needs one of the two above.")
    bootstrap_zip: str | None = setting(
        None, kinds.optional(kinds.text(r".+\.zip", "the path of a zip file")),
        "The packed function. Nothing: `STREAMS_BOOTSTRAP_ZIP`, or else `.build/lambda/bootstrap.zip`.")

    def __post_init__(self) -> None:
        for each in fields(self):
            kind: Kind = each.metadata["kind"]
            value = getattr(self, each.name)
            try:
                object.__setattr__(self, each.name, kind.parse(value))
            except ValueError:
                raise SettingError(
                    f"The setting '{context_name(each.name)}' must be {kind.allowed.replace('`', '')}; "
                    f"it is '{value}'.") from None
        self._check_together()

    def _check_together(self) -> None:
        if self.timeout_seconds > 28 and not self.streaming:
            raise SettingError(
                "The setting 'timeoutSeconds' must be at most 28, for API Gateway gives up after 29 s; "
                "longer is for 'streaming=true' only.")
        if self.alarm_email and self.alarm_topic_arn:
            raise SettingError("Set 'alarmEmail' or 'alarmTopicArn', not both.")
        if self.monthly_budget_dollars and not (self.alarm_email or self.alarm_topic_arn):
            raise SettingError(
                "The setting 'monthlyBudgetDollars' needs 'alarmEmail' or 'alarmTopicArn': somebody must be told.")
        if self.throttle_burst < self.throttle_rate:
            raise SettingError(
                "The setting 'throttleBurst' must not be below 'throttleRate': the rate could never be reached.")

    @classmethod
    def from_context(cls, context: Mapping[str, object]) -> Settings:
        """Reads the settings out of the CDK context.

        Raises SettingError for a value that is not allowed, and for a name that is no setting.
        """
        known = {context_name(each.name): each.name for each in fields(cls)}
        for name in context:
            if ":" in name or "/" in name or name in NAMES_OF_THE_CLI or name in known:
                continue
            near = difflib.get_close_matches(name, known, n=1)
            hint = f" Did you mean '{near[0]}'?" if near else " infra/README.md lists them."
            raise SettingError(f"There is no setting '{name}'.{hint}")
        return cls(**{known[name]: value for name, value in context.items() if name in known})  # type: ignore[arg-type]


def context_name(field_name: str) -> str:
    """The name that operators write: `retention_days` is `retentionDays`."""
    return re.sub(r"_([a-z])", lambda match: match[1].upper(), field_name)
