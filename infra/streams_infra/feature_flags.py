"""The feature flags of `cdk.json`: all that the CDK's version recommends. `python -m streams_infra.feature_flags`."""

from __future__ import annotations

import json
import tarfile
from pathlib import Path

import aws_cdk

CDK_JSON = Path(__file__).resolve().parents[1] / "cdk.json"


def recommended() -> dict[str, object]:
    """The flags, as the installed CDK ships them."""
    (package,) = Path(aws_cdk.__path__[0]).glob("_jsii/aws-cdk-lib@*.jsii.tgz")
    with tarfile.open(package) as archive:
        flags = archive.extractfile("package/recommended-feature-flags.json")
        assert flags
        return json.load(flags)


def written() -> dict[str, object]:
    """The context of `cdk.json`: flags and settings."""
    return json.loads(CDK_JSON.read_text())["context"]


def rewrite() -> None:
    """Writes the recommended flags into `cdk.json`; settings that stand there stay."""
    document = json.loads(CDK_JSON.read_text())
    settings = {name: value for name, value in document["context"].items() if "/" not in name and ":" not in name}
    document["context"] = recommended() | settings
    CDK_JSON.write_text(json.dumps(document, indent=2) + "\n")


if __name__ == "__main__":
    rewrite()
