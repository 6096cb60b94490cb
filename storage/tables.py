"""The tables. Nothing outside storage/ sees one of these classes: rows go in and out as `monitor.model` types.

The same on SQLite and PostgreSQL; the full-text index is not among them, see search.py.
Ids of versions and changes grow with time; people see them as "v12" and "c34" (rows.py).
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    DateTime,
    Dialect,
    Index,
    Integer,
    LargeBinary,
    String,
    UniqueConstraint,
    text,
)
from sqlalchemy.types import TypeDecorator, TypeEngine
from sqlmodel import Field, SQLModel

from monitor.errors import StorageError

REVISIONS = frozenset({"0001", "0002", "0003", "0004", "0005", "0006", "0007"})  # every one since the first release
REVISION = "0007"  # what this program reads and writes; migrations/versions ends with it

NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
    "pk": "pk_%(table_name)s",
}
SQLModel.metadata.naming_convention = NAMES


class Time(TypeDecorator[datetime]):
    """An aware time in UTC. SQLite keeps it as text of one width, so that comparing texts compares times."""

    impl = String(27)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        if dialect.name == "sqlite":
            return dialect.type_descriptor(String(27))
        return dialect.type_descriptor(DateTime(timezone=True))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"a time without a zone: {value!r}")
        value = value.astimezone(UTC)
        return value.strftime("%Y-%m-%dT%H:%M:%S.%fZ") if dialect.name == "sqlite" else value

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        if value is None or not isinstance(value, str):
            return value.astimezone(UTC) if value is not None else None
        try:
            return datetime.fromisoformat(value)
        except ValueError as wrong:
            raise StorageError(f"the database file is damaged (no time: {value!r}); run: mubiao db check") from wrong


class Sha(TypeDecorator[str]):
    """A SHA-256 in hexadecimal. SQLite keeps its 32 bytes: names of blobs are most of what a small version costs."""

    impl = String
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> Any:
        if value is None or dialect.name != "sqlite":
            return value
        return packed_sha(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> str | None:
        return value.hex() if isinstance(value, bytes) else value


_HEX = re.compile(r"[0-9a-f]{64}")


def packed_sha(value: str) -> bytes | str:
    """The bytes of a hash; any other word as it is."""
    return bytes.fromhex(value) if _HEX.fullmatch(value) else value


Number = BigInteger().with_variant(Integer(), "sqlite")  # of a row; SQLite's own are wide enough


def _time(**options: Any) -> Any:
    return Field(default=None, sa_type=Time, nullable=options.pop("nullable", True), **options)


def _json(default: type = dict) -> Any:
    """Each row gets an empty one of its own: pydantic copies a default.

    Not `default_factory`: pydantic asks for the signature of a factory at every row, and for `dict` and `list` that
    is 80 µs and 50 kB of circular garbage (`inspect._signature_fromstr` copies the module's names).
    """
    return Field(default=default(), sa_column=Column(JSON, nullable=False))


class SourceRow(SQLModel, table=True):
    """The last configuration seen of a source, and its state. Rows outlive the configuration."""

    __tablename__ = "source"
    key: str = Field(primary_key=True)
    name: str = ""
    kind: str = "page"
    url: str = ""
    region: str | None = Field(default=None, index=True)
    series: str | None = None
    tags: list[str] = _json(list)
    settings: dict[str, Any] = _json()  # the other keys, spelled as in sources.yaml
    enabled: bool = True
    in_config: bool = True
    first_seen: datetime = _time(nullable=False)
    baseline_done_at: datetime | None = _time()  # its first complete pass ended
    gone_at: datetime | None = _time()  # left the configuration
    announced_at: datetime | None = _time()  # its first reading was told of


class PageRow(SQLModel, table=True):
    """One watched address; see `monitor.model.Page`. `next_due` is NULL where nothing is to be read again."""

    __tablename__ = "page"
    __table_args__ = (UniqueConstraint("source", "url"),)
    id: int | None = Field(default=None, primary_key=True, sa_type=Number)
    source: str = Field(foreign_key="source.key")
    url: str = Field(index=True)
    role: str = "entry"
    host: str = Field(default="", index=True)
    title: str | None = None
    date: str | None = None
    found_at: datetime | None = _time()
    next_due: datetime | None = _time(index=True)
    last_checked: datetime | None = _time()
    last_good: datetime | None = _time()
    last_change: datetime | None = _time()
    etag: str | None = None
    last_modified: str | None = None
    raw_sha256: str | None = None
    since_full: int = 0
    version: int | None = Field(
        default=None, sa_type=Number
    )  # the latest one; no foreign key, because version.page points here
    error: str | None = Field(default=None, index=True)
    detail: str | None = None
    status: int | None = None
    failing_since: datetime | None = _time()
    consecutive: int = 0
    gone_count: int = 0
    gone_since: datetime | None = _time()
    removed: bool = False
    moved_to: str | None = None
    moved_times: int = Field(default=0, sa_column_kwargs={"server_default": "0"})
    baseline: bool = True
    checks: int = Field(default=0, sa_column_kwargs={"server_default": "0"})  # all that were ever made
    rules: str | None = None  # with which rules its latest version was read
    parent: int | None = Field(default=None, index=True, sa_type=Number)  # of an attachment: the page that names it
    label: str | None = None  # … and the name it has there
    attached: str | None = None  # the mark of the attachments last followed; NULL: never looked at
    lease_id: str | None = None  # the token of who is checking it (leases.py) …
    lease_until: datetime | None = _time()  # … until then, unless it is renewed
    resumes: datetime | None = _time()  # what `next_due` was when its source was put to rest, and is when it wakes


class VersionRow(SQLModel, table=True):
    """One Document as it was seen. Its text, its lists and its targets are blobs."""

    __tablename__ = "version"
    __table_args__ = (Index("ix_version_page_at", "page", "at"),)
    id: int | None = Field(default=None, primary_key=True, sa_type=Number)
    page: int = Field(foreign_key="page.id", sa_type=Number)
    at: datetime = _time(nullable=False)
    release: str | None = Field(default=None, index=True)
    title: str | None = None
    published: str | None = None
    document: dict[str, Any] = _json()  # the short fields of Document that have no column
    record: dict[str, Any] = _json()
    record_type: str = "other"
    year: int | None = Field(default=None, index=True)
    chars: int = 0
    paragraphs: int = 0
    items: int = 0  # targets and actuals read from it
    encoding: str | None = None
    replacements: int = 0
    sha256: str = Field(index=True, sa_type=Sha)  # of the text, and the name of its blob
    fingerprint: str = Field(default="", sa_type=Sha)
    lists_sha256: str | None = Field(default=None, sa_type=Sha)  # links, attachments, warnings
    items_sha256: str | None = Field(default=None, sa_type=Sha)  # targets (items.py)
    raw_sha256: str | None = Field(default=None, sa_type=Sha)  # the body as received, where it was kept
    moved: int = 0  # how many targets moved with it
    kind: str | None = None  # of the change that brought it
    significance: float = 0.0
    checks: int = Field(default=0, sa_column_kwargs={"server_default": "0"})  # the page's, when it was seen
    reading: int = Field(default=1, sa_column_kwargs={"server_default": "1"})  # how often its body was read
    copy_of: int | None = Field(
        default=None, index=True, sa_type=Number
    )  # the version whose text this is, or a part of


_COMPARED = text("compared_with IS NOT NULL")  # few are: the index costs the others nothing


class ChangeRow(SQLModel, table=True):
    """One event of one page. `body` holds the edits and target changes, compressed (rows.py)."""

    __tablename__ = "change"
    __table_args__ = (
        Index("ix_change_page_at", "page", "at"),
        Index("ix_change_feed", "baseline", "kind", "significance", "id"),  # feed.py
        Index("ix_change_compared_with", "compared_with", sqlite_where=_COMPARED, postgresql_where=_COMPARED),
    )
    id: int | None = Field(default=None, primary_key=True, sa_type=Number)
    page: int = Field(foreign_key="page.id", sa_type=Number)
    source: str = Field(index=True)
    at: datetime = _time(nullable=False, index=True)
    kind: str = "content"
    title: str | None = None
    old_version: int | None = Field(default=None, sa_type=Number)
    new_version: int | None = Field(default=None, index=True, sa_type=Number)
    compared_with: int | None = Field(default=None, sa_type=Number)
    compared_release: str | None = None
    release: str | None = None
    significance: float = 0.0
    reasons: list[str] = _json(list)
    added: int = 0
    deleted: int = 0
    baseline: bool = False
    body: bytes = Field(default=b"", sa_type=LargeBinary)
    copy_of: int | None = Field(default=None, sa_type=Number)
    parent: str | None = None  # of an attachment: the address of its page then …
    attachment: str | None = None  # … and the name it had there
    same_at: datetime | None = _time()  # the last good check before it


class MovedRow(SQLModel, table=True):
    """Which indicators a change moved: what `changes --indicator` filters on."""

    __tablename__ = "moved"
    __table_args__ = (Index("ix_moved_role_change", "role", "change"),)
    id: int | None = Field(default=None, primary_key=True, sa_type=Number)
    change: int = Field(foreign_key="change.id", index=True, sa_type=Number)
    indicator: str = Field(index=True)
    canonical: str | None = Field(default=None, index=True)
    indicator_id: str | None = Field(default=None, index=True)
    role: str = "target"
    word: str = ""  # new dropped raised lowered reworded


class TargetRow(SQLModel, table=True):
    """One quantity of the latest version of a page. Earlier versions keep theirs packed in a blob."""

    __tablename__ = "target"
    id: int | None = Field(default=None, primary_key=True, sa_type=Number)
    version: int = Field(foreign_key="version.id", index=True, sa_type=Number)
    page: int = Field(foreign_key="page.id", index=True, sa_type=Number)
    source: str = Field(index=True)
    position: int = 0
    role: str = "target"
    indicator: str = Field(default="", index=True)
    canonical: str | None = Field(default=None, index=True)
    indicator_id: str | None = Field(default=None, index=True)
    kind: str = "level"
    period: str | None = None
    value: float | None = None
    value_min: float | None = None
    value_max: float | None = None
    unit: str | None = None
    scope: str | None = None
    headline: bool = False
    fields: dict[str, Any] = _json()  # the whole Target


class BlobRow(SQLModel, table=True):
    """Bytes under their hash. `base` names the keyframe whose bytes are the dictionary: one hop, never a chain.

    `beside`, of a body: the text of its version, which its dictionary ends with (blobs.py).
    """

    __tablename__ = "blob"
    sha256: str = Field(primary_key=True, sa_type=Sha)
    base: str | None = Field(default=None, sa_type=Sha)
    beside: str | None = Field(default=None, sa_type=Sha)
    code: str | None = None  # in which `beside` is put before the body, UTF-8 where there is none
    size: int = 0  # inflated
    data: bytes = Field(default=b"", sa_type=LargeBinary)


class KeyframeRow(SQLModel, table=True):
    """A blob that others lean on: how many, what they weigh together, and its parity."""

    __tablename__ = "keyframe"
    sha256: str = Field(primary_key=True, sa_type=Sha)
    leaning: int = 0
    weight: int = 0  # bytes of the leaning ones, compressed
    parity: bytes | None = Field(default=None, sa_type=LargeBinary)


class AlertRow(SQLModel, table=True):
    """The outbox: written with the change, sent later, marked only after sending.

    What it tells stands apart (PayloadRow): a row of 100 kB would be written again at every attempt.
    """

    __tablename__ = "alert"
    __table_args__ = (Index("ix_alert_state_next_at", "state", "next_at"),)
    id: str = Field(primary_key=True)
    key: str = Field(unique=True)
    channel: str = Field(index=True)
    type: str = ""
    payload_sha256: str = Field(default="", index=True, sa_column_kwargs={"server_default": ""})
    lang: str = "zh"
    change: int | None = Field(default=None, index=True, sa_type=Number)
    state: str = "pending"
    attempts: int = 0
    created: datetime = _time(nullable=False)
    next_at: datetime | None = _time()
    sent_at: datetime | None = _time()
    error: str | None = None
    digest: str | None = None
    folded_into: str | None = Field(default=None, index=True)
    reached: list[str] = _json(list)  # recipients that have it already
    acked_at: datetime | None = _time()


class PayloadRow(SQLModel, table=True):
    """What alerts tell, under the hash of it: written once for all channels, never again."""

    __tablename__ = "payload"
    sha256: str = Field(primary_key=True)
    data: bytes = Field(default=b"", sa_type=LargeBinary)  # JSON, compressed (payloads.py)


class DeliveryRow(SQLModel, table=True):
    """Every attempt to send an alert."""

    __tablename__ = "delivery"
    id: int | None = Field(default=None, primary_key=True, sa_type=Number)
    alert: str = Field(foreign_key="alert.id", index=True)
    at: datetime = _time(nullable=False)
    ok: bool = False
    error: str | None = None


class OffRow(SQLModel, table=True):
    """A channel (recipient "") or a recipient that takes no more; see `monitor.model.Off`."""

    __tablename__ = "channel_off"
    channel: str = Field(primary_key=True)
    recipient: str = Field(primary_key=True, default="")
    at: datetime = _time(nullable=False)
    why: str = ""
    mark: str = ""


class MuteRow(SQLModel, table=True):
    """What is told to nobody for a while; see `monitor.model.Mute`."""

    __tablename__ = "mute"
    id: int | None = Field(default=None, primary_key=True, sa_type=Number)
    until: datetime | None = _time()
    source: str | None = None
    url: str | None = None
    indicator: str | None = None
    channel: str | None = None
    why: str | None = None
    created: datetime = _time(nullable=False)


class HostRow(SQLModel, table=True):
    """What is remembered about a host: a hold (Retry-After), the learned delay, its robots.txt."""

    __tablename__ = "host"
    host: str = Field(primary_key=True)
    not_before: datetime | None = _time(index=True)
    reason: str | None = None
    delay: float | None = None  # seconds
    rests_until: datetime | None = _time()  # when other machines may ask it, by the server's clock (hosts.py)
    robots: str | None = None
    robots_status: int | None = None
    robots_at: datetime | None = _time()


class ReadingRow(SQLModel, table=True):
    """What an earlier reading made of a version's body, before other rules or learned noise read it again."""

    __tablename__ = "reading"
    version: int = Field(primary_key=True, foreign_key="version.id", sa_type=Number)
    reading: int = Field(primary_key=True)
    until: datetime = _time(nullable=False)  # when the next one took its place
    sha256: str = Field(index=True, sa_type=Sha)
    lists_sha256: str | None = Field(default=None, sa_type=Sha)
    items_sha256: str | None = Field(default=None, sa_type=Sha)
    fields: dict[str, Any] = _json()  # the other columns of the version that a reading makes


class NoiseRow(SQLModel, table=True):
    """A rule learned from a site; see `monitor.model.Noise`. Forgotten ones go, switched-off ones stay."""

    __tablename__ = "noise"
    __table_args__ = (UniqueConstraint("host", "page", "kind", "mark"),)
    id: int | None = Field(default=None, primary_key=True, sa_type=Number)
    host: str = Field(index=True)
    page: str = ""  # the address it holds for; empty: every page of the host
    kind: str = "line"
    mark: str = ""  # what makes it the same rule when it is learned again
    rule: dict[str, Any] = _json()
    example: str = ""
    seen: int = 0
    of: int = 0
    pages: int = 0
    first_seen: datetime = _time(nullable=False)
    last_seen: datetime = _time(nullable=False)
    state: str = "on"
    revision: int = 1


class SketchRow(SQLModel, table=True):
    """A few sentence hashes of the latest text of each page: how a copy finds its original."""

    __tablename__ = "sketch"
    __table_args__ = {"sqlite_with_rowid": False}
    mark: int = Field(primary_key=True, sa_type=BigInteger, sa_column_kwargs={"autoincrement": False})
    page: int = Field(
        primary_key=True,
        foreign_key="page.id",
        index=True,
        sa_type=Number,
        sa_column_kwargs={"autoincrement": False},
    )


class PassageRow(SQLModel, table=True):
    """One entry of the full-text index: the latest text of a page, or what a change added or removed."""

    __tablename__ = "passage"
    id: int | None = Field(default=None, primary_key=True, sa_type=Number)
    page: int = Field(foreign_key="page.id", index=True, sa_type=Number)
    version: int | None = Field(default=None, index=True, sa_type=Number)
    change: int | None = Field(default=None, index=True, sa_type=Number)
    place: str = "text"  # text added removed


class EntrySpanRow(SQLModel, table=True):
    """When the entries of a block of the full-text index were made (spans.py). SQLite's alone: GIN has no order."""

    __tablename__ = "entry_span"
    block: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    first_at: datetime = _time(nullable=False)  # no entry is older
    last_at: datetime | None = _time()  # of changes; a latest text may be younger


class MetaRow(SQLModel, table=True):
    """Single values of the installation: counters, the last tick, keys of other rooms."""

    __tablename__ = "meta"
    key: str = Field(primary_key=True)
    value: str = ""
