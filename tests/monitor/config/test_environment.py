"""The environment: read in one place, empty variables as if they were not there."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitor import config
from monitor.config.environment import Variables
from monitor.errors import ConfigError


def test_defaults() -> None:
    found = config.settings({"MUBIAO_DB": "", "LANG": "zh_CN.UTF-8"})
    assert (found.config, found.db) == ("sources.yaml", "sqlite:///data/mubiao.db")
    assert (found.lang, found.locale, found.smtp_url) == (None, "zh_CN.UTF-8", None)


def test_variables() -> None:
    found = config.settings({"MUBIAO_CONFIG": "a.yaml", "MUBIAO_DB": "sqlite:///b.db", "MUBIAO_LANG": "en"})
    assert (found.config, found.db, found.lang) == ("a.yaml", "sqlite:///b.db", "en")


def test_a_secret_is_named_when_it_is_missing() -> None:
    assert config.secret("HOOK", {"HOOK": "whsec_x"}) == "whsec_x"
    with pytest.raises(ConfigError, match="HOOK is not set"):
        config.secret("HOOK", {})


def test_a_secret_may_stand_in_a_file_that_changes_meanwhile(tmp_path: Path) -> None:
    file = tmp_path / "hook"
    file.write_text("whsec_x\n", encoding="utf-8")
    found = Variables({"HOOK_FILE": str(file), "PLAIN": "p"})
    assert (found["HOOK"], found.get("PLAIN"), found.get("NEITHER")) == ("whsec_x", "p", None)
    file.write_text("whsec_y", encoding="utf-8")
    assert (found["HOOK"], config.secret("HOOK", {"HOOK_FILE": str(file)})) == ("whsec_y", "whsec_y")
    assert Variables({"HOOK_FILE": str(file), "HOOK": "nearer"})["HOOK"] == "nearer"


@pytest.mark.parametrize("content", [None, b"\xff\xfehunter2"])
def test_a_file_that_cannot_be_read_is_named_and_not_repeated(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "hook"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(ConfigError) as caught:
        Variables({"HOOK_FILE": str(file)}).get("HOOK")
    assert str(file) in str(caught.value)
    assert "hunter2" not in str(caught.value)
