"""The packed function is looked at before it is deployed."""

from __future__ import annotations

from pathlib import Path

import pytest

from streams_infra import bootstrap_zip
from streams_infra.settings import SettingError, Settings
from synthesis import packed_function


def _find(path: Path, architecture: str = "arm64") -> Path:
    settings = Settings(bootstrap_zip=str(path), architecture=architecture)
    return bootstrap_zip.find(settings, is_wanted=True)


def test_a_good_one_is_taken(tmp_path: Path) -> None:
    arm = packed_function(tmp_path / "arm.zip")
    intel = packed_function(tmp_path / "intel.zip", 0x3E)
    assert _find(arm) == arm
    assert _find(intel, "x86_64") == intel


def test_a_missing_one_is_named_with_the_command_that_makes_it(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="make lambda"):
        _find(tmp_path / "nothing.zip")


def test_one_for_the_other_processor_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="built for x86_64.*architecture=x86_64"):
        _find(packed_function(tmp_path / "intel.zip", 0x3E))


@pytest.mark.parametrize("options", [{"name": "main"}, {"mode": 0o644}])
def test_one_that_lambda_could_not_start_is_refused(tmp_path: Path, options: dict) -> None:
    with pytest.raises(SettingError, match="'bootstrap'"):
        _find(packed_function(tmp_path / "odd.zip", **options))


def test_what_is_no_zip_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "torn.zip").write_bytes(b"PK\x03\x04")
    with pytest.raises(SettingError, match="no zip file"):
        _find(tmp_path / "torn.zip")


def test_it_may_be_missing_where_nothing_is_deployed(tmp_path: Path) -> None:
    settings = Settings(bootstrap_zip=str(tmp_path / "nothing.zip"))
    assert bootstrap_zip.find(settings, is_wanted=False).is_dir()


def test_the_environment_names_it_where_the_settings_do_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:
    path = packed_function(tmp_path / "arm.zip")
    monkeypatch.setenv("STREAMS_BOOTSTRAP_ZIP", str(path))
    assert bootstrap_zip.find(Settings(), is_wanted=True) == path
