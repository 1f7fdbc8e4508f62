"""The schedule that has the function maintain the store."""

from __future__ import annotations

import json
import re

from streams_infra import costs
from streams_infra.maintenance import MAINTENANCE_EVENT
from synthesis import REPOSITORY, Synthesis, only, plain, resources


def test_the_schedule_sends_the_event_that_the_function_knows(default: Synthesis, everything: Synthesis) -> None:
    for synthesis, rate in ((default, "rate(1 hour)"), (everything, "rate(15 minutes)")):
        rule = only(synthesis.api, "AWS::Events::Rule")
        assert (rule["ScheduleExpression"], rule["State"]) == (rate, "ENABLED")
        (target,) = rule["Targets"]
        assert json.loads(target["Input"]) == MAINTENANCE_EVENT == {"maintain": True}
        ((function, _),) = [
            each for each in resources(synthesis.api, "AWS::Lambda::Function").items() if "FunctionHandler" in each[0]]
        assert plain(target["Arn"]) == f"<{function}.Arn>"
    source = (REPOSITORY / "Sources/StreamsLambda/ScheduledMaintenance.swift").read_text()
    assert '["maintain": true]' in source


def test_what_is_missed_is_not_made_up_for(default: Synthesis) -> None:
    (target,) = only(default.api, "AWS::Events::Rule")["Targets"]
    assert target["RetryPolicy"] == {"MaximumEventAgeInSeconds": 60, "MaximumRetryAttempts": 0}
    config = only(default.api, "AWS::Lambda::EventInvokeConfig")
    assert (config["MaximumRetryAttempts"], config["MaximumEventAgeInSeconds"]) == (0, 60)


def test_only_this_rule_may_call_the_function(default: Synthesis) -> None:
    ((rule, _),) = resources(default.api, "AWS::Events::Rule").items()
    (permission,) = [
        each["Properties"] for each in resources(default.api, "AWS::Lambda::Permission").values()
        if each["Properties"]["Principal"] == "events.amazonaws.com"]
    assert (permission["Action"], plain(permission["SourceArn"])) == ("lambda:InvokeFunction", f"<{rule}.Arn>")


def test_without_minutes_there_is_no_schedule(with_key: Synthesis) -> None:
    for kind in ("AWS::Events::Rule", "AWS::Lambda::EventInvokeConfig"):
        assert not resources(with_key.api, kind)
    assert all(
        each["Properties"]["Principal"] == "apigateway.amazonaws.com"
        for each in resources(with_key.api, "AWS::Lambda::Permission").values())


def test_the_estimate_merges_as_the_program_does() -> None:
    folder = REPOSITORY / "Sources"
    settings = (folder / "StreamsCore/Maintenance/MaintenanceSettings.swift").read_text()
    assert f"segmentsMinimum = {costs.MERGED_OBJECTS_MINIMUM}\n" in settings
    assert re.search(r"mergedBytesMaximum = 1024 \* 1024\n", settings) and costs.MERGED_BYTES == 1024 * 1024
    coding = "".join(path.read_text() for path in (folder / "StreamsCore").rglob("SegmentPart*.swift"))
    assert re.search(rf"countMaximum = {costs.MERGED_OBJECTS}\b", coding)
