"""The machine, in words, since figures mean nothing without it."""

import datetime
import os
import platform
import subprocess
from pathlib import Path

from .processes import Failure
from .settings import REPOSITORY

_IN_MEMORY = {"tmpfs", "ramfs", "devtmpfs"}


def describe(directory: Path) -> list[tuple[str, str]]:
    """Name and value of what matters; nothing that tells who or where."""
    now = datetime.datetime.now(datetime.timezone.utc)
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    return [
        ("Date", now.strftime("%Y-%m-%d %H:%M UTC")),
        ("Processor", _processor()),
        ("Cores", f"{len(os.sched_getaffinity(0))}, shared by server and load generator"),
        ("Memory", _memory()),
        ("System", f"{_system()}, Linux {platform.release()}"),
        ("File system of the data", file_system(directory)),
        ("Load of the machine before (1, 5, 15 minutes)", load),
    ]


def commit() -> str:
    """The commit that is checked out, or an empty text."""
    done = subprocess.run(
        ["git", "-C", str(REPOSITORY), "describe", "--always", "--dirty"],
        capture_output=True, text=True,
    )
    return done.stdout.strip() if done.returncode == 0 else ""


def file_system(directory: Path) -> str:
    """The type of the file system that a directory lies on."""
    wanted = str(directory.resolve()) + "/"
    best, kind = "", "unknown"
    for line in Path("/proc/self/mounts").read_text().splitlines():
        mount, found = line.split()[1:3]
        mount = mount.encode().decode("unicode_escape")
        if wanted.startswith(mount.rstrip("/") + "/") and len(mount) >= len(best):
            best, kind = mount, found
    return kind


def require_disk(directory: Path) -> None:
    """Refuses a directory in memory, where fsync costs nothing."""
    kind = file_system(directory)
    if kind in _IN_MEMORY:
        raise Failure(f"the data would lie on {kind}, in memory; give --directory on a disk")


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _memory() -> str:
    kilobytes = int(Path("/proc/meminfo").read_text().split()[1])
    return f"{kilobytes / 1024 / 1024:.0f} GiB"


def _system() -> str:
    try:
        return platform.freedesktop_os_release()["PRETTY_NAME"]
    except (OSError, KeyError):
        return platform.system()
