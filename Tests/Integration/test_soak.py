"""The soak: it runs its parts, adds up what they did, and says how to repeat a round that failed."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from processes import REPOSITORY, clean_environment, end, spawn

SOAK = Path(__file__).with_name("soak.py")
# A soak tests the programs that these tests do.
PROGRAMS = {name: os.environ[name] for name in ("STREAMS_BINARY", "STREAMS_BOOTSTRAP") if name in os.environ}


def run(folder: Path, *arguments: str, status: int) -> tuple[dict, str]:
    """Runs a soak to its end; returns its summary and what it printed."""
    summary = folder / "soak.json"
    result = subprocess.run(
        [sys.executable, "-B", SOAK, "--json", summary, *arguments], env=clean_environment(PROGRAMS), capture_output=True,
        text=True, timeout=150)
    assert result.returncode == status, result.stdout + result.stderr
    return json.loads(summary.read_text()), result.stdout


@pytest.mark.bounded(180)
def test_a_soak_runs_each_part_and_adds_up_what_they_did(tmp_path: Path) -> None:
    summary, output = run(tmp_path, "--brief", "--rounds", "4", "--seed", "7", status=0)
    print(output)
    assert summary["rounds"] == {"kills": 1, "power-loss": 1, "failing-disk": 1, "storm": 1}
    assert summary["seed"] == 7 and summary["violations"] == []
    assert summary["operations"] > 100 and summary["messages"] > summary["operations"]
    assert summary["crashes"] >= 3 + 2 + 2 + 1 and summary["images"] == 20 + 10
    faults = summary["faults"]
    assert faults["SIGKILL under load"] == 3
    assert sum(count for kind, count in faults.items() if kind.startswith("dies")) == 2
    assert sum(count for kind, count in faults.items() if kind.endswith("for a while")) >= 2
    assert sum(count for kind, count in faults.items() if kind.startswith("power loss")) == 30
    assert sum(count for kind, count in faults.items() if kind.startswith(("s3", "dynamodb"))) > 5
    for line in ("crashes survived", "images of disks", "violations"):
        assert line in output


def test_a_soak_ends_when_its_time_is_up(tmp_path: Path) -> None:
    summary, _ = run(tmp_path, "--minutes", "0.02", "--brief", "--part", "failing-disk", status=0)
    # A round is begun while there is time, so a quick machine begins a second one.
    assert set(summary["rounds"]) == {"failing-disk"} and summary["rounds"]["failing-disk"] >= 1
    assert 0.02 <= summary["minutes"] < 2


@pytest.mark.bounded(120)
def test_a_soak_on_a_disk_that_lies_stops_at_the_loss_and_says_how_to_repeat_it(tmp_path: Path) -> None:
    summary, output = run(tmp_path, "--rounds", "5", "--brief", "--part", "power-loss", "--lying-disk", status=1)
    [violation] = summary["violations"]
    assert violation["part"] == "power-loss" and "is lost" in violation["what"]
    assert summary["rounds"] == {"power-loss": 0}
    assert f"repeat it: {violation['replay']}" in output
    # The command is right: it fails in the same way.
    command = shlex.split(violation["replay"])
    assert command[:2] == [".venv/bin/python", "Tests/Integration/soak.py"]
    again = subprocess.run(
        [sys.executable, "-B", *command[1:]], cwd=REPOSITORY, env=clean_environment(PROGRAMS), capture_output=True, text=True,
        timeout=100)
    assert again.returncode == 1 and "is lost" in again.stdout, again.stdout + again.stderr


@pytest.mark.bounded(150)
def test_a_soak_that_is_interrupted_still_sums_up(tmp_path: Path) -> None:
    summary = tmp_path / "soak.json"
    process = spawn(
        [sys.executable, "-B", SOAK, "--part", "kills", "--brief", "--minutes", "5", "--json", summary], PROGRAMS,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert process.stdout
    try:
        for line in process.stdout:
            if b"kills:" in line:
                break
        process.send_signal(signal.SIGINT)
        output = process.stdout.read().decode()
        assert process.wait(20) == 0, output
    finally:
        end(process)
    assert "interrupted" in output and "rounds of kills" in output
    assert json.loads(summary.read_text())["rounds"]["kills"] >= 1
