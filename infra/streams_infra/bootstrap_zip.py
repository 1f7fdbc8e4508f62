"""The packed function: where it is, and whether it is what Lambda can start."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path

from streams_infra.settings import SettingError, Settings

REPOSITORY = Path(__file__).resolve().parents[2]
DEFAULT_PATH = REPOSITORY / ".build/lambda/bootstrap.zip"

# What stands in the template where the stack is not asked for (`cdk list`, `cdk destroy`).
_PLACEHOLDER = Path(__file__).resolve().parent / "no_bootstrap"

# ELF specification, "e_machine".
_MACHINES = {0x3E: "x86_64", 0xB7: "arm64"}


def find(settings: Settings, *, is_wanted: bool) -> Path:
    """The zip file.

    Raises SettingError where it is missing or can not be started by a function of these settings, unless the function
    is not wanted this time.
    """
    path = Path(settings.bootstrap_zip or os.environ.get("STREAMS_BOOTSTRAP_ZIP") or DEFAULT_PATH)
    if path.is_file():
        problem = _problem(path, settings.architecture)
    else:
        problem = (
            f"There is no packed function at {_shown(path)}: run 'make lambda' in the repository's root, "
            "or name the file with -c bootstrapZip=PATH.")
    if problem and is_wanted:
        raise SettingError(problem)
    return _PLACEHOLDER if problem else path


def _problem(path: Path, architecture: str) -> str | None:
    again = "Run 'make lambda' again, or name another file with -c bootstrapZip=PATH."
    try:
        with zipfile.ZipFile(path) as archive:
            entry = archive.getinfo("bootstrap")
            with archive.open(entry) as program:
                head = program.read(20)
    except (zipfile.BadZipFile, KeyError, OSError):
        return f"{_shown(path)} is no zip file with the program 'bootstrap' in it. {again}"
    if not entry.external_attr >> 16 & 0o111:
        return f"In {_shown(path)}, 'bootstrap' is not marked as a program (mode 0755). {again}"
    if not head.startswith(b"\x7fELF"):
        # A script, such as a stand-in in a test: Lambda starts whatever is marked so.
        return None
    machine = _MACHINES.get(int.from_bytes(head[18:20], "little"), "some other processor")
    if machine != architecture:
        return (f"{_shown(path)} is built for {machine}, and the function for {architecture}: build with "
                f"'make lambda ARCH={architecture}', or set -c architecture={machine}.")
    return None


def _shown(path: Path) -> str:
    """The path, from the repository's root where it lies below it."""
    return str(path.relative_to(REPOSITORY)) if path.is_relative_to(REPOSITORY) else str(path)
