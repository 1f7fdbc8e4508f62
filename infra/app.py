#!/usr/bin/env python3
"""The CDK app: reads the settings and puts the two stacks together. `cdk.json` names it."""

from __future__ import annotations

import os
import sys
from pathlib import Path

try:
    import aws_cdk as cdk
except ModuleNotFoundError:
    # `cdk` runs `python3`, which need not be the one of the virtual environment.
    python = Path(__file__).resolve().parent / ".venv/bin/python"
    if not python.exists() or Path(sys.prefix) == python.parents[1]:
        sys.exit("infra: aws-cdk-lib is missing. In infra/: python3 -m venv .venv && "
                 ".venv/bin/pip install -r requirements.txt")
    os.execv(python, [str(python), *sys.argv])

from streams_infra.application import add_stacks
from streams_infra.settings import SettingError, Settings


def main() -> None:
    """Writes the templates; a setting that is wrong ends it with a sentence."""
    app = cdk.App()
    try:
        add_stacks(app, Settings.from_context(app.node.get_all_context()))
    except SettingError as error:
        sys.exit(f"infra: {error}")
    app.synth()


main()
