"""The environment: read in one place, empty variables as if they were not there."""

from __future__ import annotations

import pytest

from monitor import config
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
