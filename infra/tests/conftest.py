"""What the tests share: the templates of a few sets of settings, each synthesised once."""

from __future__ import annotations

from pathlib import Path
from typing import Iterator

import pytest

from synthesis import EVERYTHING, Synthesis, packed_function, synthesise
from streams_infra.settings import Settings


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--rewrite", action="store_true", help="write snapshots and the README's tables anew")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Runs what takes long last."""
    items.sort(key=lambda item: "end_to_end" in item.nodeid)


@pytest.fixture(scope="session")
def bootstrap_zip(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A file that passes for the packed function, for ARM."""
    yield packed_function(tmp_path_factory.mktemp("function") / "bootstrap.zip")


@pytest.fixture(scope="session")
def default(bootstrap_zip: Path) -> Synthesis:
    """The templates of the default settings."""
    return synthesise(Settings(bootstrap_zip=str(bootstrap_zip)))


@pytest.fixture(scope="session")
def everything(bootstrap_zip: Path) -> Synthesis:
    """The templates with all that can be turned on."""
    return synthesise(Settings(bootstrap_zip=str(bootstrap_zip), **EVERYTHING))


@pytest.fixture(scope="session")
def with_key(bootstrap_zip: Path) -> Synthesis:
    """The templates of a second environment, whose API asks for a key."""
    return synthesise(Settings(
        bootstrap_zip=str(bootstrap_zip), prefix="staging", auth="api-key", gateway_log_role="existing",
        maintenance_minutes=0, allowed_origins=("https://app.example.com", "https://admin.example.com")))


@pytest.fixture(scope="session")
def open_to_all(bootstrap_zip: Path) -> Synthesis:
    """The templates of an API that asks for nothing."""
    return synthesise(Settings(bootstrap_zip=str(bootstrap_zip), auth="none"))
