"""A real SQLite file for every test, copied from one that was migrated once; and small builders of outcomes."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from monitor.model import Change, Document, Edit, Failure, Fetch, Outcome, Page, Record, Source, Target
from storage import migrate
from storage.queries import Queries
from storage.store import Store

NOW = datetime(2026, 3, 2, 1, 30, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("db") / "empty.db"
    migrate.upgrade(f"sqlite:///{path}", NOW)
    return path


@pytest.fixture
def dialect() -> str:
    """`sqlite`; what is marked `both_dialects`, or everything with MUBIAO_BOTH_DIALECTS set, on PostgreSQL too.

    What is marked `postgresql_alone` is about several checkers, which a SQLite file has not.
    """
    return "sqlite"


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    marked = any(metafunc.definition.iter_markers("both_dialects")) or "MUBIAO_BOTH_DIALECTS" in os.environ
    alone = any(metafunc.definition.iter_markers("postgresql_alone"))
    if (marked or alone) and "dialect" in metafunc.fixturenames:
        metafunc.parametrize("dialect", ["postgresql"] if alone else ["sqlite", "postgresql"])


@pytest.fixture
def url(dialect: str, template: Path, tmp_path: Path, request: pytest.FixtureRequest) -> str:
    if dialect == "postgresql":
        return str(request.getfixturevalue("postgres_url"))
    shutil.copy(template, tmp_path / "mubiao.db")
    return f"sqlite:///{tmp_path / 'mubiao.db'}"


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    with Store(url) as opened:
        yield opened


@pytest.fixture
def ask(url: str) -> Iterator[Queries]:
    with Queries(url) as opened:
        yield opened


class House:
    """Shorthand for tests: watch sources, check pages, all with a clock that only the test moves."""

    def __init__(self, store: Store) -> None:
        self.store, self.now = store, NOW

    def watch(self, *sources: Source) -> list[Page]:
        self.store.sync_sources(sources, self.now, lambda _source: self.now)
        return self.store.pages()

    def tick(self, by: timedelta = MINUTE) -> datetime:
        self.now += by
        return self.now

    def outcome(self, page: Page, *paragraphs: str, **fields: Any) -> Outcome:
        """A good check that found these paragraphs, new or changed as the page has a version or not."""
        known = self.store.load(page.id)
        document = Document(url=page.url, title=fields.pop("title", paragraphs[0]), paragraphs=paragraphs)
        document = replace(document, **fields.pop("document", {}))
        kind = fields.pop("kind", "content" if known.last else "new")
        change = Change(
            kind=kind,
            at=self.now,
            source=page.source,
            url=page.url,
            title=document.title,
            significance=fields.pop("significance", 0.5),
            edits=tuple(fields.pop("edits", ())),
            targets=tuple(fields.pop("moved", ())),
            baseline=fields.pop("baseline", False),
        )
        plain: dict[str, Any] = {
            "result": "changed" if known.last else "new",
            "page": replace(known.page, last_checked=self.now, last_good=self.now, failure=None, removed=False),
            "fetch": Fetch(url=page.url, at=self.now, body=document.text.encode("gb18030"), headers={"etag": '"1"'}),
            "document": document,
            "fingerprint": document.text,
            "change": change,
            "next_due": self.now + timedelta(hours=6),
        }
        return Outcome(at=self.now, **(plain | fields))

    def see(self, page: Page, *paragraphs: str, **fields: Any) -> str:
        """Check a page; returns the id of its latest version."""
        self.store.save(self.outcome(page, *paragraphs, **fields))
        version = self.store.load(page.id).page.version
        assert version is not None
        return version

    def fail(self, page: Page, error: str, **fields: Any) -> None:
        """A failed check; `fields` are further state of the page."""
        why = Failure(error, f"{error} happened", 404)
        state = replace(self.store.load(page.id).page, failure=why, last_checked=self.now, **fields)
        fetch = Fetch(url=page.url, at=self.now)
        self.store.save(Outcome(state, self.now, "failed", fetch, why, next_due=self.now))


@pytest.fixture
def house(store: Store) -> House:
    return House(store)


@pytest.fixture
def source() -> Callable[..., Source]:
    def build(key: str = "yunling", **fields: Any) -> Source:
        plain = {"url": f"http://{key}.example/report.html", "region": "990102", "series": "政府工作报告"}
        return Source(key=key, **(plain | fields))

    return build


def item(body: str, quote: str, stated: str, **fields: Any) -> Target:
    """A target that stands in a text."""
    start = body.index(quote)
    at = body.index(stated, start)
    plain: dict[str, Any] = {
        "role": "target", "start": start, "end": start + len(quote), "text": quote,
        "vstart": at, "vend": at + len(stated), "value_text": stated, "indicator": quote[:2],
    }  # fmt: skip
    return Target(**(plain | fields))


@pytest.fixture
def quoted() -> Callable[..., Target]:
    return item


@pytest.fixture
def report() -> Callable[..., dict[str, Any]]:
    def build(year: int, kind: str = "report", **fields: Any) -> dict[str, Any]:
        return {"record": Record(type=kind, year=year, label=str(year), complete=True), "release": str(year)} | fields

    return build


@pytest.fixture
def edited() -> Callable[[str, str], Sequence[Edit]]:
    return lambda old, new: (Edit("replace", old, new, 0, 0),)
