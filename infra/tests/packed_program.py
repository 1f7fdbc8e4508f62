"""The real program, packed as `make lambda` packs it."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import zipfile
from pathlib import Path

from synthesis import REPOSITORY

# What the settings call this machine's processor: MiniStack starts the program on it, whatever the template says.
ARCHITECTURE = {"x86_64": "x86_64", "aarch64": "arm64", "arm64": "arm64"}.get(platform.machine(), "unknown")


def real_program(folder: Path) -> Path:
    """The zip file that `STREAMS_BOOTSTRAP_ZIP` names, or the debug build of this repository, packed into the folder.

    `STREAMS_BOOTSTRAP` names another program.
    """
    given = os.environ.get("STREAMS_BOOTSTRAP_ZIP")
    if given:
        return Path(given).resolve()
    program = Path(os.environ.get("STREAMS_BOOTSTRAP") or REPOSITORY / ".build/debug/bootstrap")
    if not os.access(program, os.X_OK):
        raise FileNotFoundError(
            f"There is no program at {program}: run 'swift build --product bootstrap', or set STREAMS_BOOTSTRAP.")
    if shutil.which("strip"):
        # Half of a debug build is symbols.
        stripped = folder / "bootstrap"
        subprocess.run(["strip", "-o", stripped, program], check=True)
        program = stripped
    path = folder / "bootstrap.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        entry = zipfile.ZipInfo("bootstrap", (1980, 1, 1, 0, 0, 0))
        entry.external_attr, entry.compress_type = 0o100755 << 16, zipfile.ZIP_DEFLATED
        archive.writestr(entry, program.read_bytes(), compresslevel=1)
    return path
