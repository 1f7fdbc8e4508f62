"""Settings: what is allowed, and that what is not ends with a sentence."""

from __future__ import annotations

from dataclasses import fields

import pytest

from streams_infra.settings import SettingError, Settings, context_name


def test_the_defaults_are_safe() -> None:
    settings = Settings()
    assert settings.auth == "iam"
    assert not settings.disposable
    assert settings.prefix == "sls-streams"
    assert (settings.retention_days, settings.architecture, settings.log_level) == (30, "arm64", "info")
    assert (settings.throttle_rate, settings.throttle_burst) == (500, 1000)


def test_values_of_the_command_line_are_text_and_those_of_files_are_not() -> None:
    spoken = {"retentionDays": "7", "disposable": "true", "reservedConcurrency": "5", "auth": "none"}
    typed = {"retentionDays": 7, "disposable": True, "reservedConcurrency": 5, "auth": "none"}
    assert Settings.from_context(spoken) == Settings.from_context(typed)
    assert Settings.from_context(spoken).retention_days == 7


@pytest.mark.parametrize(("name", "value"), [
    ("prefix", "Upper"), ("prefix", "-a"), ("prefix", "a-"), ("prefix", "a" * 31), ("prefix", "1a"), ("prefix", ""),
    ("retentionDays", "0"), ("retentionDays", "366"), ("retentionDays", "30d"), ("retentionDays", 1.5),
    ("retentionDays", True), ("retentionDays", "٣"),
    ("disposable", "yes"), ("auth", "NONE"), ("auth", ""), ("architecture", "arm"),
    ("allowedOrigins", "app.example.com"), ("allowedOrigins", "*,https://a.example"),
    ("allowedOrigins", "https://a.example/"), ("allowedOrigins", "https://a'b"), ("allowedOrigins", ""),
    ("throttleRate", "0"), ("throttleBurst", "6000"), ("memoryMegabytes", "64"), ("timeoutSeconds", "901"),
    ("maintenanceMinutes", "-1"), ("maintenanceMinutes", "1441"), ("maintenanceMinutes", ""),
    ("reservedConcurrency", "0"), ("logLevel", "INFO"), ("logRetentionDays", "31"), ("gatewayLogRole", "none"),
    ("alarmEmail", "nobody"), ("alarmTopicArn", "arn:aws:sqs:eu-west-1:123456789012:x"),
    ("alarmProduceMilliseconds", "1"), ("monthlyBudgetDollars", "-1"), ("bootstrapZip", "bootstrap"),
])
def test_a_bad_value_is_refused_with_a_sentence_that_names_it(name: str, value: object) -> None:
    with pytest.raises(SettingError) as refusal:
        Settings.from_context({name: value})
    sentence = str(refusal.value)
    assert f"'{name}'" in sentence and f"'{value}'" in sentence and sentence.endswith(".")


@pytest.mark.parametrize(("context", "hint"), [
    ({"timeoutSeconds": "60"}, "streaming=true"),
    ({"monthlyBudgetDollars": "20"}, "alarmEmail"),
    ({"throttleRate": "900", "throttleBurst": "100"}, "throttleBurst"),
    ({"alarmEmail": "a@example.com", "alarmTopicArn": "arn:aws:sns:eu-west-1:123456789012:x"}, "not both"),
])
def test_settings_that_contradict_each_other_are_refused(context: dict[str, str], hint: str) -> None:
    with pytest.raises(SettingError, match=hint):
        Settings.from_context(context)


def test_a_name_that_is_no_setting_is_refused_and_the_nearest_is_named() -> None:
    with pytest.raises(SettingError, match="Did you mean 'retentionDays'"):
        Settings.from_context({"retentionDay": "7"})
    with pytest.raises(SettingError, match="README"):
        Settings.from_context({"zzz": "7"})


def test_what_the_cdk_keeps_in_the_context_is_no_setting() -> None:
    context = {
        "@aws-cdk/core:something": True, "aws:cdk:bundling-stacks": ["**"], "availability-zones:account=1": [],
        "acknowledged-issue-numbers": [1], "cli-telemetry": False}
    assert Settings.from_context(context) == Settings()


def test_every_setting_says_what_it_means() -> None:
    for each in fields(Settings):
        assert each.metadata["meaning"].endswith("."), context_name(each.name)
        assert each.metadata["kind"].allowed, context_name(each.name)
