"""Child processes that never outlive the tests."""

from __future__ import annotations

import atexit
import os
import subprocess
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]

_SETTINGS = ("STREAMS_", "AWS_", "BUCKET_NAME", "COUNTERS_TABLE")

_children: list[subprocess.Popen[bytes]] = []


def binary() -> Path:
    """The program under test: `STREAMS_BINARY`, or the debug build of this repository."""
    return _program("streams", "STREAMS_BINARY")


def bootstrap() -> Path:
    """The Lambda function's program: `STREAMS_BOOTSTRAP`, or the debug build of this repository."""
    return _program("bootstrap", "STREAMS_BOOTSTRAP")


def _program(name: str, variable: str) -> Path:
    path = Path(os.environ.get(variable) or REPOSITORY / ".build/debug" / name).absolute()
    if not os.access(path, os.X_OK):
        raise FileNotFoundError(f"There is no program at {path}: run 'swift build --product {name}', or set {variable}.")
    return path


def clean_environment(extra: dict[str, str] | None = None) -> dict[str, str]:
    """The environment without settings, ours and those of AWS, that the caller's shell may have."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(_SETTINGS)}
    # Nor are a developer's own profiles read, or the address where a machine in the cloud has its credentials asked.
    environment |= {
        "AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull, "AWS_EC2_METADATA_DISABLED": "true"}
    # The crash reporter takes seconds to say what the exit status says at once.
    environment["SWIFT_BACKTRACE"] = "enable=no"
    return environment | (extra or {})


def spawn(arguments: list[str | Path], environment: dict[str, str] | None = None, **options) -> subprocess.Popen[bytes]:
    """Starts a child that `end_all` will end."""
    child = subprocess.Popen(
        [str(argument) for argument in arguments], env=clean_environment(environment), **options)
    _children.append(child)
    return child


def end(child: subprocess.Popen[bytes]) -> None:
    """Kills a child, if it still runs, and waits for it."""
    if child.poll() is None:
        child.kill()
        child.wait(10)
    for stream in (child.stdin, child.stdout, child.stderr):
        if stream:
            try:
                stream.close()
            except OSError:
                pass
    if child in _children:
        _children.remove(child)


def end_all() -> None:
    """Kills every child that still runs."""
    for child in list(_children):
        end(child)


atexit.register(end_all)
