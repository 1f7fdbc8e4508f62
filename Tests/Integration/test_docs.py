"""The commands in the documentation work when they are pasted.

Runs each block of a document that is fenced as sh, bash or console, in order, against a fresh server, with
`streams` on PATH and port 9000 replaced by the server's. In a console block the lines that begin with `$ ` are the
commands. A block that begins with `# not run: reason` is passed over, and counted.
"""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Callable

import pytest

from processes import REPOSITORY, binary, clean_environment, end, spawn
from server import Server

DOCUMENTS = [REPOSITORY / "README.md", *sorted((REPOSITORY / "docs").rglob("*.md"))]
FENCE = re.compile(r"^( *)```(sh|bash|console)\n(.*?)^\1```$", re.DOTALL | re.MULTILINE)
SECONDS_FOR_A_BLOCK = 30


@dataclass
class Block:
    """Commands of a document."""

    document: Path
    line: int
    text: str

    @property
    def place(self) -> str:
        """Where it stands."""
        return f"{self.document.relative_to(REPOSITORY)}:{self.line}"

    @property
    def is_run(self) -> bool:
        """Whether it is meant to be run here."""
        return not self.text.startswith("# not run: ")


def blocks(document: Path) -> list[Block]:
    """The blocks of commands of a document."""
    text = document.read_text()
    found: list[Block] = []
    for match in FENCE.finditer(text):
        commands = match[3]
        if match[2] == "console":
            commands = "".join(f"{line[2:]}\n" for line in commands.splitlines() if line.startswith("$ "))
        found.append(Block(document, text.count("\n", 0, match.start()) + 2, commands))
    return found


def run(block: Block, server: Server, folder: Path, bin_folder: Path) -> None:
    """Runs a block in bash, which stops at the first command that fails."""
    environment = clean_environment({
        "STREAMS_URL": server.url, "STREAMS_DATA": str(server.data), "CURL_HOME": str(bin_folder)})
    environment["PATH"] = f"{bin_folder}:{environment['PATH']}"
    commands = re.sub(r"\b(localhost|127\.0\.0\.1):9000\b", f"127.0.0.1:{server.port}", block.text)
    process = spawn(
        ["bash", "-euo", "pipefail", "-c", commands], environment, cwd=folder, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True)
    try:
        output, _ = process.communicate(timeout=SECONDS_FOR_A_BLOCK)
    except subprocess.TimeoutExpired:
        pytest.fail(f"{block.place} does not end:\n{block.text}")
    finally:
        end(process)
    assert process.returncode == 0, f"{block.place} fails:\n{block.text}\n{output.decode(errors='replace')}"


@pytest.fixture
def bin_folder(tmp_path: Path) -> Path:
    """A folder for PATH with `streams` in it, and settings by which curl fails where the server says no."""
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "streams").symlink_to(binary())
    (folder / ".curlrc").write_text("fail-with-body\nsilent\nshow-error\n")
    return folder


@pytest.mark.bounded(180)
@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(REPOSITORY)))
def test_the_commands_of_a_document_work_when_pasted(
    make_server: Callable[..., Server], tmp_path: Path, bin_folder: Path, document: Path
) -> None:
    found = blocks(document)
    if not any(block.is_run for block in found):
        print(f"{len(found)} blocks, none of them run")
        return
    server = make_server().start()
    folder = tmp_path / "here"
    folder.mkdir()
    for block in found:
        if block.is_run:
            run(block, server, folder, bin_folder)
    skipped = sum(not block.is_run for block in found)
    print(f"{len(found) - skipped} blocks run, {skipped} not")
    server.check_alive()


def test_the_readme_has_commands_that_are_run() -> None:
    commands = [block for block in blocks(REPOSITORY / "README.md") if block.is_run]
    text = "".join(block.text for block in commands)
    assert "curl" in text and "streams produce" in text
