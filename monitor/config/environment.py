"""What the environment says."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from monitor.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Settings:
    """What the environment says. Secrets are not in it: `secret` reads one when a message is sent."""

    config: str
    db: str
    lang: str | None = None
    locale: str | None = None
    smtp_url: str | None = field(default=None, repr=False)  # it, or the file that holds it: whether there is one


def settings(environ: Mapping[str, str] | None = None) -> Settings:
    """The MUBIAO_ variables of the environment (or of `environ`), empty ones as if absent."""
    env = os.environ if environ is None else environ
    return Settings(
        config=env.get("MUBIAO_CONFIG") or "sources.yaml",
        db=env.get("MUBIAO_DB") or "sqlite:///data/mubiao.db",
        lang=env.get("MUBIAO_LANG") or None,
        locale=env.get("LC_ALL") or env.get("LC_MESSAGES") or env.get("LANG") or None,
        smtp_url=env.get("MUBIAO_SMTP_URL") or env.get("MUBIAO_SMTP_URL_FILE") or None,
    )


def chromium(environ: Mapping[str, str] | None = None) -> str | None:
    """The browser that MUBIAO_CHROMIUM names, for `render: browser`; None: the one that the system has."""
    return (os.environ if environ is None else environ).get("MUBIAO_CHROMIUM") or None


class Variables(Mapping[str, str]):
    """The environment; a variable that is not set is read from the file that NAME_FILE names, at each use.

    So a secret may be mounted as a file (Docker, systemd's LoadCredential) and be changed while we run. Raises
    ConfigError for a file that cannot be read, never repeating what it holds.
    """

    def __init__(self, environ: Mapping[str, str] | None = None) -> None:
        self._environ = os.environ if environ is None else environ

    def __getitem__(self, name: str) -> str:
        value = self._environ.get(name)
        path = self._environ.get(f"{name}_FILE")
        if value or not path:
            return self._environ[name]
        try:
            return Path(path).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as why:
            reason = why.strerror if isinstance(why, OSError) else "not UTF-8 text"
            raise ConfigError(f"{name}_FILE: {path} cannot be read: {reason}") from None

    def __iter__(self) -> Iterator[str]:
        return iter(self._environ)

    def __len__(self) -> int:
        return len(self._environ)


def variables() -> Mapping[str, str]:
    """The environment as channels see it: the mail server and the secrets that sources.yaml names."""
    return Variables()


def secret(name: str, environ: Mapping[str, str] | None = None) -> str:
    """The secret in this environment variable, or in the file that NAME_FILE names.

    Raises ConfigError naming the variable, never its content.
    """
    value = Variables(environ).get(name, "")
    if not value:
        fix = f"export {name}=…, or {name}_FILE=/path/to/a/file that holds it"
        raise ConfigError(f"the environment variable {name} is not set", fix=fix)
    return value
