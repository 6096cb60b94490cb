"""What a finished demo knows about itself: plain values for the summary, its JSON, and the verdict."""

from __future__ import annotations

import shlex
import shutil
import sys
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from monitor import wire
from monitor.demo import keeping, story
from monitor.demo.keeping import Call, Letter
from monitor.i18n import say
from monitor.i18n.demo import TEXTS


@dataclass(frozen=True, slots=True)
class Round:
    """One day: what its checks said (the shape of `mubiao check --json`), and how many messages arrived."""

    number: int
    checks: tuple[wire.JSON, ...]
    mails: int = 0
    hooks: int = 0
    undelivered: tuple[str, ...] = ()

    @property
    def changes(self) -> list[wire.JSON]:
        return [change for check in self.checks for change in check["changes"]]

    @property
    def failures(self) -> list[wire.JSON]:
        """Those of the day's last look."""
        return list(self.checks[-1]["failures"])


@dataclass(frozen=True, slots=True)
class Result:
    """The whole demo. `requests` counts what the site was asked for: `government /path`."""

    directory: Path
    rounds: list[Round]
    letters: list[Letter]
    hooks: list[Call]
    requests: Mapping[str, int]
    seconds: float

    @property
    def changes(self) -> list[wire.JSON]:
        return [change for day in self.rounds for change in day.changes]

    @property
    def unfollowed(self) -> list[str]:
        """Titles that the column lists and nobody asked for."""
        return [a.title for a in story.GOVERNMENT if not self.requests.get("government " + a.path)]

    @property
    def unchanged(self) -> int:
        """How often a page was read again and said the same."""
        return sum(check["unchanged"] + check["not_modified"] for day in self.rounds for check in day.checks)

    @property
    def failures(self) -> Counter[str]:
        """Failed readings by their word."""
        return Counter(f["error"] for day in self.rounds for check in day.checks for f in check["failures"])

    def commands(self) -> list[str]:
        """Three commands that answer from the demo's database, ready to paste."""
        base, db = _program(), f"--db {shlex.quote(keeping.database_url(self.directory))}"
        report = next((c["url"] for c in self.changes if c["kind"] == "content"), story.REPORTS_KEY)
        return [
            f"{base} targets compare {story.REGION}@2025 {story.REGION}@2026 {db}",
            f"{base} history {shlex.quote(report)} {db}",
            f"{base} search 学位 {db}",
        ]

    def problems(self, lang: str) -> list[str]:
        """Where the product and the story disagree, in words; empty when all went well."""
        found: list[str] = []
        for day in self.rounds:
            wanted, kinds = story.WANTED.get(day.number, ()), tuple(c["kind"] for c in day.changes)
            values = {"day": day.number + 1, "wanted": ", ".join(wanted) or "0", "found": ", ".join(kinds) or "0"}
            if kinds != wanted:
                found.append(say(TEXTS, "wrong.changes", lang, **values))
            if bool(day.failures) != (day.number == story.OUTAGE):
                words = ", ".join(sorted({f["error"] for f in day.failures})) or "0"
                found.append(say(TEXTS, "wrong.failures", lang, day=day.number + 1, found=words))
            if day.mails < len(day.changes):
                found.append(say(TEXTS, "wrong.mail", lang, day=day.number + 1))
        told = {call.change for call in self.hooks}
        found += [say(TEXTS, "wrong.hook", lang, change=c["title"]) for c in self.changes if c["id"] not in told]
        found += [say(TEXTS, "wrong.signature", lang, id=call.id) for call in self.hooks if not call.verified]
        if owed := [why for day in self.rounds for why in day.undelivered]:
            found.append(say(TEXTS, "wrong.undelivered", lang, count=len(owed)) + f": {owed[0]}")
        return found

    def json(self, lang: str) -> wire.JSON:
        """One document for programs."""
        return {
            "directory": str(self.directory),
            "seconds": round(self.seconds, 1),
            "rounds": [
                {
                    "day": day.number + 1,
                    "happened": say(TEXTS, f"round.{day.number}", lang),
                    "checks": list(day.checks),
                    "mails": day.mails,
                    "webhooks": day.hooks,
                }
                for day in self.rounds
            ],
            "unfollowed": self.unfollowed,
            "mails": [{"subject": x.subject, "eml": str(x.eml), "html": str(x.html)} for x in self.letters],
            "webhooks": [
                {"id": x.id, "type": x.type, "change": x.change, "signature": x.verified, "file": str(x.file)}
                for x in self.hooks
            ],
            "config": str(self.directory / keeping.CONFIG),
            "database": keeping.database_url(self.directory),
            "try": self.commands(),
            "problems": self.problems(lang),
        }


def _program() -> str:
    """How this very program is called from here."""
    if shutil.which("mubiao"):
        return "mubiao"
    beside = Path(sys.executable).with_name("mubiao")
    if not beside.exists():
        return f"{shlex.quote(sys.executable)} -m monitor"
    here = Path.cwd()
    return shlex.quote(str(beside.relative_to(here) if beside.is_relative_to(here) else beside))
