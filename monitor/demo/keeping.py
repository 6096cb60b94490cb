"""The demo's directory: emptied of an earlier demo, filled with mails, webhooks, the watch list and the database."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from standardwebhooks import Webhook
from standardwebhooks.webhooks import WebhookVerificationError

from monitor import wire
from monitor.demo.receivers import Hook, Mail
from monitor.errors import UsageError
from monitor.i18n import say
from monitor.i18n.demo import TEXTS

CONFIG, DATABASE, MAILS, HOOKS = "sources.yaml", "mubiao.db", "mail", "webhooks"
FIRST_WORDS = "# What `mubiao demo` watches"  # of texts/sources.yaml
_OURS = re.compile(rf"{re.escape(DATABASE)}(?:[-.].*)?|{re.escape(CONFIG)}|{MAILS}|{HOOKS}")


@dataclass(frozen=True, slots=True)
class Letter:
    """One received e-mail on disk: as it came, and its HTML part for a browser."""

    subject: str
    eml: Path
    html: Path


@dataclass(frozen=True, slots=True)
class Call:
    """One received webhook on disk. `verified`: its signature is by our key, over these bytes."""

    id: str
    type: str
    change: str | None
    verified: bool
    file: Path


def database_url(directory: Path) -> str:
    """The database as --db takes it."""
    return f"sqlite:///{directory / DATABASE}"


def prepare(directory: Path, lang: str) -> None:
    """Make the directory, without what an earlier demo left. Raises UsageError if it holds anything else: no file
    of a user is ever deleted."""
    directory.mkdir(parents=True, exist_ok=True)
    old = list(directory.iterdir())
    if old and not (all(_OURS.fullmatch(path.name) for path in old) and _is_demo(directory / CONFIG)):
        raise UsageError(say(TEXTS, "occupied", lang, path=directory))
    for path in old:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()


def _is_demo(config: Path) -> bool:
    """Whether a watch list is the demo's own, by its first words."""
    return config.is_file() and config.read_text(encoding="utf-8", errors="replace").startswith(FIRST_WORDS)


def keep_mails(directory: Path, mails: Sequence[Mail]) -> list[Letter]:
    """Every mail as .eml, and its HTML part beside it, in the order of their arrival."""
    folder = directory / MAILS
    folder.mkdir(exist_ok=True)
    letters = []
    for number, mail in enumerate(mails, 1):
        eml, html = folder / f"{number:02d}.eml", folder / f"{number:02d}.html"
        eml.write_bytes(mail.raw)
        html.write_text(mail.part("html"), encoding="utf-8")
        letters.append(Letter(str(mail.message["Subject"] or ""), eml, html))
    return letters


def keep_hooks(directory: Path, calls: Sequence[Hook], secret: str) -> list[Call]:
    """Every webhook as a receiver should treat it: signature verified over the bytes, then read."""
    folder = directory / HOOKS
    folder.mkdir(exist_ok=True)
    kept = []
    for number, call in enumerate(calls, 1):
        file = folder / f"{number:02d}.json"
        body = json.loads(call.body)
        file.write_text(wire.dump({"headers": dict(call.headers), "body": body}, indent=2), encoding="utf-8")
        change = body["data"].get("id") if body["type"] in ("targets.changed", "change.detected") else None
        kept.append(Call(call.headers.get("webhook-id", ""), body["type"], change, verified(call, secret), file))
    return kept


def verified(call: Hook, secret: str) -> bool:
    """Whether the call was signed with this key (Standard Webhooks)."""
    try:
        Webhook(secret).verify(call.body, dict(call.headers))
    except WebhookVerificationError:
        return False
    return True
