"""What `make lambda` lets through, and what the container image is made of."""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from processes import REPOSITORY

CHECK = REPOSITORY / "scripts/check-bootstrap"


def check(program: Path, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, CHECK, *options, program], capture_output=True, text=True)


def compile_program(folder: Path, *options: str, source: str = "int main(void) { return 0; }") -> Path:
    """A small C program."""
    compiler = shutil.which("cc") or shutil.which("clang")
    assert compiler, "This test needs a C compiler: install gcc or clang."
    (folder / "program.c").write_text(source)
    program = folder / "program"
    subprocess.run([compiler, folder / "program.c", "-o", program, *options], check=True, cwd=folder)
    return program


def compile_library(folder: Path, name: str, version: str) -> Path:
    """A library that goes by a name, whose function `f` has a symbol version."""
    compiler = shutil.which("cc") or shutil.which("clang")
    assert compiler, "This test needs a C compiler: install gcc or clang."
    (folder / "library.c").write_text("int f(void) { return 0; }")
    (folder / "versions").write_text(f"{version} {{ global: f; }};")
    subprocess.run(
        [
            compiler, "-shared", "-fPIC", folder / "library.c", "-o", folder / "libf.so", f"-Wl,-soname,{name}",
            "-Wl,--version-script=versions",
        ], check=True, cwd=folder)
    return folder / "libf.so"


CALLS_F = "int f(void); int main(void) { return f(); }"


def test_a_static_program_is_let_through(tmp_path: Path) -> None:
    result = check(compile_program(tmp_path, "-static"))
    assert result.returncode == 0 and "static" in result.stderr


@pytest.mark.parametrize("version", ["GLIBC_2.34", "GLIBC_2.2.5", "OTHER_9"])
def test_symbols_that_are_there_are_let_through(tmp_path: Path, version: str) -> None:
    library = compile_library(tmp_path, "libm.so.6", version)
    program = compile_program(tmp_path, str(library), "-nostdlib", "-Wl,-e,main", source=CALLS_F)
    result = check(program)
    assert result.returncode == 0 and "libm.so.6" in result.stderr, result.stderr


@pytest.mark.parametrize("version", ["GLIBC_2.35", "GLIBC_2.38", "GLIBC_3.0", "GLIBCXX_3.4.30", "GCC_13.0.0"])
def test_symbols_that_are_too_new_are_refused(tmp_path: Path, version: str) -> None:
    library = compile_library(tmp_path, "libm.so.6", version)
    result = check(compile_program(tmp_path, str(library), source=CALLS_F))
    assert result.returncode == 1 and version in result.stderr and "-static-executable" in result.stderr


def test_libraries_that_are_not_there_are_refused(tmp_path: Path) -> None:
    library = compile_library(tmp_path, "libodd.so.1", "ODD_1")
    result = check(compile_program(tmp_path, str(library), source=CALLS_F))
    assert result.returncode == 1 and "libodd.so.1" in result.stderr


def test_a_program_for_another_architecture_is_refused(tmp_path: Path) -> None:
    here = {"x86_64": "x86_64", "aarch64": "arm64", "arm64": "arm64"}[platform.machine()]
    other = "arm64" if here == "x86_64" else "x86_64"
    program = compile_program(tmp_path, "-static")
    assert check(program, "--arch", here).returncode == 0
    result = check(program, "--arch", other)
    assert result.returncode == 1 and f"not for {other}" in result.stderr


def test_what_is_no_program_is_refused(tmp_path: Path) -> None:
    program = compile_program(tmp_path, "-static").read_bytes()
    for index, data in enumerate([b"", b"#!/bin/sh\n", b"\x7fELF", program[:64], program[:1000]]):
        path = tmp_path / f"odd-{index}"
        path.write_bytes(data)
        result = check(path)
        assert result.returncode == 1 and "would not start on Lambda" in result.stderr
        assert "Traceback" not in result.stderr
    assert check(tmp_path / "none").returncode == 1


# What `make lambda` does, with tools that only note what they are asked for: the real build takes minutes.

HERE = {"x86_64": "x86_64", "aarch64": "arm64", "arm64": "arm64"}.get(platform.machine(), "")
OTHER = "arm64" if HERE == "x86_64" else "x86_64"
MACHINES = {"x86_64": "x86_64", "arm64": "aarch64"}

SWIFT = """#!/bin/sh
echo "swift $*" >> "$NOTES"
case "$*" in
"sdk list") echo "$SDK" ;;
*--show-bin-path*) echo "$BIN" ;;
esac
"""
ENGINE = """#!/bin/sh
echo "engine $*" >> "$NOTES"
[ "$1" = info ] && exit "$ENGINE_STATUS"
folder=$(echo "$*" | sed "s/.*--scratch-path \\([^ ]*\\).*/\\1/")
mkdir -p "$folder/release" && cp "$BIN/bootstrap" "$folder/release/bootstrap"
"""


class Build:
    """A run of `scripts/lambda` among such tools."""

    def __init__(self, folder: Path, *, sdk: str = "", engine: bool = False, arch: str = "") -> None:
        tools = folder / "tools"
        tools.mkdir(exist_ok=True)
        for name, text in [("swift", SWIFT), ("docker", ENGINE), ("podman", ENGINE)]:
            (tools / name).write_text(text)
            (tools / name).chmod(0o755)
        (folder / "bin").mkdir(exist_ok=True)
        shutil.copy(compile_program(folder, "-static"), folder / "bin/bootstrap")
        self.package = folder / "out/bootstrap.zip"
        notes = folder / "notes"
        notes.write_text("")
        environment = os.environ | {
            "PATH": f"{tools}:{os.environ['PATH']}", "NOTES": str(notes), "SDK": sdk, "BIN": str(folder / "bin"),
            "ENGINE_STATUS": "0" if engine else "1", "ARCH": arch,
        }
        result = subprocess.run(
            [REPOSITORY / "scripts/lambda", self.package], env=environment, capture_output=True, text=True)
        self.status, self.errors, self.notes = result.returncode, result.stderr, notes.read_text()


def test_the_package_holds_one_program_and_is_the_same_each_time(tmp_path: Path) -> None:
    build = Build(tmp_path)
    assert build.status == 0, build.errors
    data = build.package.read_bytes()
    with zipfile.ZipFile(build.package) as archive:
        (entry,) = archive.infolist()
        assert entry.filename == "bootstrap" and entry.external_attr >> 16 == 0o100755
        assert archive.read(entry) == (tmp_path / "bin/bootstrap").read_bytes()
    os.utime(tmp_path / "bin/bootstrap", (0, 0))
    assert Build(tmp_path).package.read_bytes() == data


def test_the_static_sdk_comes_first(tmp_path: Path) -> None:
    build = Build(tmp_path, sdk="swift-6.3-RELEASE_static-linux-0.1.0", engine=True, arch=HERE)
    assert build.status == 0, build.errors
    assert f"--swift-sdk {MACHINES[HERE]}-swift-linux-musl" in build.notes and "engine" not in build.notes
    # Without a wish it is for arm64, and what comes out must be.
    build = Build(tmp_path, sdk="swift-6.3-RELEASE_static-linux-0.1.0", arch=OTHER)
    assert build.status == 1 and f"not for {OTHER}" in build.errors
    assert f"--swift-sdk {MACHINES[OTHER]}-swift-linux-musl" in build.notes


def test_a_container_engine_that_answers_comes_next(tmp_path: Path) -> None:
    build = Build(tmp_path, engine=True, arch=HERE)
    assert build.status == 0, build.errors
    assert f"--platform linux/{HERE}" in build.notes and "amazonlinux2023" in build.notes
    assert "-static-executable" in build.notes and "swift build" in build.notes


def test_else_it_is_built_for_this_machine_and_says_what_that_is_good_for(tmp_path: Path) -> None:
    build = Build(tmp_path)
    assert build.status == 0, build.errors
    assert f"NATIVE BUILD for {HERE}" in build.errors and "Good for tests on this machine" in build.errors
    assert "-Xswiftc -static-executable" in build.notes


def test_what_can_not_be_built_is_refused_with_a_sentence(tmp_path: Path) -> None:
    for arch in (OTHER, "sparc"):
        build = Build(tmp_path, arch=arch)
        assert build.status == 1 and arch in build.errors and not build.package.exists()


# The image of the server. No container engine is asked for here: this checks that what the Dockerfile names is there.

DOCKERFILE = (REPOSITORY / "Dockerfile").read_text()


def test_the_image_copies_what_is_there_and_builds_a_product_that_is() -> None:
    sources = [
        source
        for line in re.findall(r"^COPY (?!--from)(.+)$", DOCKERFILE, re.MULTILINE)
        for source in line.split()[:-1]
        if not source.startswith("--")
    ]
    assert sources
    for source in sources:
        assert list(REPOSITORY.glob(source)), source
    product = re.search(r"--product (\w+)", DOCKERFILE)
    assert product and f'.executable(name: "{product[1]}"' in (REPOSITORY / "Package.swift").read_text()


def test_the_image_sets_variables_that_the_server_reads() -> None:
    names = set(re.findall(r"\b(STREAMS_[A-Z_]+)=", DOCKERFILE))
    assert {"STREAMS_HOST", "STREAMS_DATA"} <= names
    command = (REPOSITORY / "Sources/streams/Commands/ServeCommand.swift").read_text()
    for name in names:
        assert f'variable: "{name}"' in command


def test_the_image_runs_as_nobody_special_with_the_documented_port() -> None:
    assert re.search(r"^USER (?!root|0\b)\S+", DOCKERFILE, re.MULTILINE)
    assert re.search(r"^EXPOSE 9000$", DOCKERFILE, re.MULTILINE)
    assert re.search(r"^VOLUME ", DOCKERFILE, re.MULTILINE) and "STREAMS_HOST=0.0.0.0" in DOCKERFILE
    version = re.search(r"^FROM swift:(\d+\.\d+)", DOCKERFILE, re.MULTILINE)
    tools = re.search(r"swift-tools-version: (\d+\.\d+)", (REPOSITORY / "Package.swift").read_text())
    assert version and tools and float(version[1]) >= float(tools[1])
    ignored = (REPOSITORY / ".dockerignore").read_text().split()
    assert {".build", ".git", "data"} <= set(ignored)
