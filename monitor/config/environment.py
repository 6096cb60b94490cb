"""What the environment says."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass

from monitor.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Settings:
    """What the environment says. Secrets are not in it: `secret` reads one when a message is sent."""

    config: str
    db: str
    lang: str | None = None
    locale: str | None = None
    smtp_url: str | None = None


def settings(environ: Mapping[str, str] | None = None) -> Settings:
    """The MUBIAO_ variables of the environment (or of `environ`), empty ones as if absent."""
    env = os.environ if environ is None else environ
    return Settings(
        config=env.get("MUBIAO_CONFIG") or "sources.yaml",
        db=env.get("MUBIAO_DB") or "sqlite:///data/mubiao.db",
        lang=env.get("MUBIAO_LANG") or None,
        locale=env.get("LC_ALL") or env.get("LC_MESSAGES") or env.get("LANG") or None,
        smtp_url=env.get("MUBIAO_SMTP_URL") or None,
    )


def chromium(environ: Mapping[str, str] | None = None) -> str | None:
    """The browser that MUBIAO_CHROMIUM names, for `render: browser`; None: the one that the system has."""
    return (os.environ if environ is None else environ).get("MUBIAO_CHROMIUM") or None


def variables() -> Mapping[str, str]:
    """The environment as channels see it: the mail server and the secrets that sources.yaml names."""
    return os.environ


def secret(name: str, environ: Mapping[str, str] | None = None) -> str:
    """The secret in this environment variable. Raises ConfigError naming the variable, never its content."""
    value = (os.environ if environ is None else environ).get(name, "")
    if not value:
        raise ConfigError(f"the environment variable {name} is not set", fix=f"export {name}=…")
    return value
