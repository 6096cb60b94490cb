"""The types that flow between the rooms: frozen dataclasses, standard library only.

Every time is an aware `datetime` in UTC. Every offset counts code points and is half open, `[start, end)`.
Field names of `Target` and `TargetChange` are those of the gold format (docs/json.md), so that one name
means one thing from the rule that sets it to the column a researcher loads.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any, Literal

# --------------------------------------------------------------------------- what is watched

SourceKind = Literal["page", "listing", "epaper", "feed", "sitemap"]
SOURCE_KINDS: tuple[SourceKind, ...] = ("page", "listing", "epaper", "feed", "sitemap")


@dataclass(frozen=True, slots=True)
class Season:
    """Months (1-12) in which a source is read at another interval: reports are read from December into June."""

    months: frozenset[int]
    every: timedelta


@dataclass(frozen=True, slots=True)
class Adapt:
    """Bounds of an interval that follows a page: longer the longer its text has stood unchanged."""

    shortest: timedelta
    longest: timedelta


@dataclass(frozen=True, slots=True)
class Recheck:
    """How often a document found by a source is read again: `young` for `young_for` after it was found, then `old`."""

    young: timedelta
    young_for: timedelta
    old: timedelta


@dataclass(frozen=True, slots=True)
class Links:
    """Which links of a list page are documents: regular expressions searched in the absolute address."""

    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Fields:
    """Where a JSON list keeps what: paths as `data.rows`, relative to an item but for `items`. None: by its name."""

    items: str | None = None
    title: str | None = None
    address: str | None = None  # a field, or an address with fields in it: /detail.html?id={docId}
    date: str | None = None


@dataclass(frozen=True, slots=True)
class Keep:
    """What of a source is kept at least; None: for ever. A version goes where both `versions` and `age` let it.

    `versions` counts the newest ones of each page, `bodies` is for how long pages are kept as they were received.
    """

    versions: int | None = None
    age: timedelta | None = None
    bodies: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Source:
    """One configured place, with the defaults of sources.yaml already applied."""

    key: str
    url: str
    kind: SourceKind = "page"
    name: str = ""
    region: str | None = None  # GB/T 2260 code, 2 to 6 digits
    series: str | None = None  # documents of one region and series are each other's releases
    release: str | None = None  # overrides the label read from the document
    selector: str | None = None
    exclude: tuple[str, ...] = ()
    match: str | None = None
    match_text: str | None = None
    links: Links = Links()
    fields: Fields | None = None
    post: str | None = None  # what is sent for a list that is asked for by POST: a form, or JSON
    pages: int = 1
    backfill: timedelta | None = None
    every: timedelta | None = timedelta(hours=6)
    cron: str | None = None  # standard crontab: 0 and 7 are Sunday
    timezone: str = "Asia/Shanghai"
    season: Season | None = None
    expect: str | None = None  # the day, MM-DD, by which each year's release has come
    recheck: Recheck = Recheck(timedelta(minutes=30), timedelta(days=14), timedelta(days=1))
    adapt: Adapt | None = None  # how often a text is read by how long it has stood
    detect_within: timedelta | None = None  # no interval is longer, whatever says so
    delay: timedelta = timedelta(seconds=1)
    concurrency_per_host: int = 1
    respect_robots: bool = True
    timeout: timedelta = timedelta(seconds=60)
    max_bytes: int = 10_000_000
    confirm: tuple[timedelta, ...] = (timedelta(minutes=3), timedelta(minutes=10), timedelta(minutes=30))
    attachments: bool | tuple[str, ...] = True  # which files that a page names are read: their endings, all or none
    tls: str = "default"
    proxy: str | None = None
    render: Literal["http", "browser"] = "http"
    keep: Keep | None = None  # None: everything
    tags: tuple[str, ...] = ()
    enabled: bool = True


Why = Literal["expect", "learned", "season"]


@dataclass(frozen=True, slots=True)
class Overdue:
    """A release that has not come. `by` is the day by which it was to come, `sources` are where it is looked for."""

    sources: tuple[str, ...]
    region: str | None
    series: str | None
    year: int
    by: date
    why: Why


@dataclass(frozen=True, slots=True)
class Network:
    """What the guarded transport may reach, and who it says it is."""

    allow_private: tuple[str, ...] = ()  # CIDR blocks, reached on any port
    allow_ports: tuple[int, ...] = (80, 443, 8080, 8443)
    heartbeat: str | None = None  # asked every minute while all is well: a dead-man's switch
    user_agent: str = "mubiao/0.1 (+https://github.com/mubiao/mubiao; monitors public government pages)"


@dataclass(frozen=True, slots=True)
class Quiet:
    """Hours of the day in which a channel is silent; `start` after `end` spans midnight."""

    start: time
    end: time


@dataclass(frozen=True, slots=True)
class Rate:
    """At most `most` messages in any span of `within`; what is more is folded into one."""

    most: int
    within: timedelta


@dataclass(frozen=True, slots=True)
class Channel:
    """A way out. Secrets are not here: `secret_env` names the environment variable that holds one."""

    name: str
    type: str  # a key of alerts.channels.CHANNELS
    to: tuple[str, ...] = ()
    url: str | None = None
    secret_env: str | None = None
    path: str | None = None  # feed: the file that is written
    quiet: Quiet | None = None
    rate: Rate | None = None
    timezone: str = "Asia/Shanghai"  # of `quiet` and of the digests that go there
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Subscription:
    """Who is told what. AND between the narrowing keys, OR inside one; an empty one means all."""

    channel: str
    on: tuple[str, ...] = ("targets", "content", "new", "attachment", "removed", "restored", "reverted")
    sources: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    series: tuple[str, ...] = ()
    indicators: tuple[str, ...] = ()
    keywords: tuple[str, ...] = ()
    directions: tuple[str, ...] = ()  # raised lowered new dropped reworded, or a flag: softened hardened
    min_significance: float = 0.0
    digest: str | None = None  # cron; None: one message for each change, at once
    lang: str = "zh"


# files and folders: name, when it was written (nanoseconds), bytes
Stamp = tuple[tuple[str, int, int], ...]


@dataclass(frozen=True, slots=True)
class Config:
    """sources.yaml, read whole and checked."""

    sources: tuple[Source, ...] = ()
    channels: tuple[Channel, ...] = ()
    subscriptions: tuple[Subscription, ...] = ()
    network: Network = Network()
    defaults: Source = Source(key="", url="")
    templates: Mapping[str, str] = field(default_factory=dict)  # name -> the user's text of a message template
    path: str | None = None
    files: tuple[str, ...] = ()  # `path` and all that it includes
    warnings: tuple[str, ...] = ()  # of sources.yaml: nothing wrong, but probably not meant
    seen: Stamp = ()  # what it was read from, as that was before it was read

    def source(self, key: str) -> Source | None:
        """The source with this key."""
        return next((s for s in self.sources if s.key == key), None)


# --------------------------------------------------------------------------- one attempt

FAILURE_WORDS: tuple[str, ...] = (
    "dns", "refused", "tls", "timeout", "reset", "truncated", "too_large", "redirect_loop", "redirect_home", "moved",
    "http_403", "http_404", "http_410", "http_4xx", "http_5xx", "blocked_challenge", "blocked_waf", "login",
    "maintenance", "soft_404", "empty", "wrong_document", "collapsed", "lossy_decode", "not_html", "robots", "guard",
    "held",
)  # fmt: skip
BLOCKED_WORDS = frozenset({"blocked_challenge", "blocked_waf", "login", "robots", "guard"})
GONE_WORDS = frozenset({"http_404", "http_410", "soft_404"})  # three of these, over half an hour, are `removed`


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a check gave no document. `error` is one of FAILURE_WORDS; `detail` is for a person."""

    error: str
    detail: str
    status: int | None = None
    retry_after: float | None = None  # seconds; holds the whole host


@dataclass(frozen=True, slots=True)
class Fetch:
    """One attempt: what came back, or why nothing did."""

    url: str
    at: datetime
    final_url: str = ""  # after redirects; equal to `url` without one
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)  # lower-case names
    body: bytes = b""  # inflated
    not_modified: bool = False
    failure: Failure | None = None
    redirects: tuple[str, ...] = ()
    moved_to: str | None = None  # where its permanent redirects (301, 308) lead, as far as they are that from the first
    elapsed: float = 0.0  # seconds
    wire_bytes: int = 0

    @property
    def etag(self) -> str | None:
        return self.headers.get("etag")

    @property
    def last_modified(self) -> str | None:
        return self.headers.get("last-modified")

    @property
    def content_type(self) -> str | None:
        return self.headers.get("content-type")


@dataclass(frozen=True, slots=True)
class Decoded:
    """Bytes read as text: `encoding` as Python names it, `how`: bom, http, utf-8, meta or detector."""

    text: str
    encoding: str
    replacements: int
    how: str


# --------------------------------------------------------------------------- what a page says

DocumentKind = Literal["article", "listing", "blocked", "error", "empty", "attachment", "image", "other"]


@dataclass(frozen=True, slots=True)
class Link:
    url: str
    text: str
    date: str | None = None  # YYYY-MM-DD, as shown beside the link


@dataclass(frozen=True, slots=True)
class Attachment:
    url: str
    name: str
    type: str  # pdf, docx, …


@dataclass(frozen=True, slots=True)
class File:
    """What a document was read from that is no web page. `type` by its bytes, never by its name."""

    type: str  # pdf docx doc rtf xlsx xls ofd mhtml zip txt, or another ending that is only named
    sha256: str
    size: int  # bytes
    pages: int | None = None


@dataclass(frozen=True, slots=True)
class Document:
    """What one page says, without its chrome. `text` joins the paragraphs; target offsets count in it."""

    url: str | None = None
    kind: DocumentKind = "article"
    title: str | None = None
    published: str | None = None  # YYYY-MM-DD, the date shown on the page
    published_meta: str | None = None  # YYYY-MM-DD, from the meta tags: re-publication changes it
    publisher: str | None = None
    author: str | None = None
    column: str | None = None
    site_code: str | None = None  # SiteIDCode: 6-digit region + 4
    encoding: str | None = None
    replacements: int = 0
    paragraphs: tuple[str, ...] = ()
    links: tuple[Link, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    file: File | None = None  # None: a web page
    warnings: tuple[str, ...] = ()
    explain: tuple[str, ...] = ()  # which container, why, what was cut
    parts: int = 0  # how many pages a document was joined from; 0: it stands on one

    @property
    def text(self) -> str:
        return "\n".join(self.paragraphs)


# --------------------------------------------------------------------------- targets

Role = Literal["target", "actual"]


@dataclass(frozen=True, slots=True)
class Target:
    """One stated quantity about one indicator in one period: a promise (`target`) or a result (`actual`).

    `value` is in `unit`, the multiplier kept in the unit (1.5 万人次). A range has `value` None and both bounds.
    """

    role: Role
    start: int
    end: int
    text: str
    vstart: int
    vend: int
    value_text: str
    indicator: str  # as written
    canonical: str | None = None  # a name of indicators.yaml, or None: then compared by its wording
    indicator_id: str | None = None  # stable ASCII id of the family
    indicator_en: str | None = None  # its English name
    value: float | None = None
    value_min: float | None = None
    value_max: float | None = None
    unit: str | None = None
    qualifier: str = "exact"  # exact about at_least over at_most under range in_step above_ref below_ref all
    strength: str = "none"  # strive ensure expect plan none
    direction: str = "level"  # increase decrease level
    basis: str | None = None  # yoy comparable annual_average cumulative, joined by +
    kind: str = "level"  # growth level share count amount commitment relative change
    period: str | None = None  # 2022 | 2022-2026 | 2021-01/2021-11 | by 2025 | rel:3y
    tier: str = "core"  # or borderline
    section: str | None = None
    sent_start: int = 0
    sent_end: int = 0
    sentence: str = ""
    object: str | None = None  # the project, place or group the number is about
    scope: str | None = None  # 口径
    headline: bool = False  # in the list of main expected targets
    persistence: str = "recurring"  # or one_off
    stage: str | None = None  # of works: 谋划 启动 开工 完成 投用
    parent: str | None = None  # of 其中: what it is a part of
    mentions: int = 1  # how often the text says it
    vintage: str | None = None  # of actuals: expected preliminary final revised
    confidence: float = 1.0
    rule: str = ""  # why it was read so
    note: str | None = None


@dataclass(frozen=True, slots=True)
class TargetChange:
    """One line of a release comparison. `flags` is a fixed vocabulary: softened, hardened, differs, …"""

    canonical: str | None
    indicator: str
    kind: str
    change: Literal["new", "dropped", "raised", "lowered", "reworded", "unchanged"]
    before: Target | None
    after: Target | None
    object: str | None = None
    flags: tuple[str, ...] = ()
    relation: str = "next_release"  # next_release | edit | quote | copy
    recurring: bool = True
    reason: str | None = None  # of `dropped`: why it is missing (monitor.targets.between.MISSING)
    implied: float | None = None  # derived, never written: the growth in % that a new form of a target means …
    implied_base: str | None = None  # … over this result, as its document reports it


@dataclass(frozen=True, slots=True)
class Record:
    """What a document is: read from its title, subtitle and session, not from the page's date."""

    type: str = "other"  # report | plan | budget | outline | newspaper | other
    year: int | None = None  # the year the document sets targets for
    label: str | None = None  # how its release is shown: "2022"
    place: str | None = None  # 南岗区
    session: str | None = None  # ISO date on which it was delivered
    meeting: str | None = None  # 第九届人民代表大会第一次会议
    speaker: str | None = None  # who delivered it
    acting: bool = False  # as 代区长, 代市长, …
    stage: str = "published"  # delivered | passed | published | excerpt | paraphrase | copy
    complete: bool = False  # holds the whole document


# --------------------------------------------------------------------------- changes


@dataclass(frozen=True, slots=True)
class Edit:
    """A piece of a change. Paragraph numbers count from 0 and are None on the side that has none."""

    op: Literal["insert", "delete", "replace", "move"]
    old: str = ""
    new: str = ""
    old_paragraph: int | None = None
    paragraph: int | None = None


@dataclass(frozen=True, slots=True)
class Diff:
    """Two texts compared. `added` and `deleted` count characters that are really new or gone."""

    edits: tuple[Edit, ...] = ()
    added: int = 0
    deleted: int = 0
    cosmetic: bool = False  # only layout, width, blanks or punctuation
    rewritten: bool = False  # so little in common that edits would mislead


ARCHIVED = "/web/"  # stands between the address of a web archive and that of a page whose captures were imported
LATE = "an older release"  # a reason of changes: a later release of the series was known already

ChangeKind = Literal["new", "content", "cosmetic", "attachment", "removed", "restored", "reverted"]


@dataclass(frozen=True, slots=True)
class Version:
    """A Document seen at a time. `id` is opaque and orders by time within a database."""

    id: str
    source: str
    url: str
    at: datetime
    document: Document
    release: str | None
    record: Record
    sha256: str  # of the kept text
    fingerprint: str  # of the text normalised for comparing
    raw_sha256: str | None = None
    copy_of: str | None = None  # the version whose text this is, or a part of


@dataclass(frozen=True, slots=True)
class Change:
    """One event of one page. `targets` compares with `compared_with` for a new document, else with `old_version`."""

    kind: ChangeKind
    at: datetime
    source: str
    url: str
    title: str | None = None
    id: str = ""  # set by storage
    old_version: str | None = None
    new_version: str | None = None
    compared_with: str | None = None
    compared_release: str | None = None
    release: str | None = None
    significance: float = 0.0
    reasons: tuple[str, ...] = ()
    added: int = 0
    deleted: int = 0
    edits: tuple[Edit, ...] = ()
    targets: tuple[TargetChange, ...] = ()  # everything but `unchanged`
    baseline: bool = False  # first sight of a source: recorded, told to nobody
    copy_of: str | None = None  # of a new document: the version it repeats; told to nobody
    parent: str | None = None  # of an attachment: the address of the page that names it …
    attachment: str | None = None  # … and the name it has there
    same_at: datetime | None = None  # of an edit or a disappearance: the last good check that found it as before

    @property
    def moved(self) -> bool:
        """Whether a promise (not a result) moved. A release that comes to light after its successor moves nothing."""
        if LATE in self.reasons:
            return False
        return any((t.after or t.before) and (t.after or t.before).role == "target" for t in self.targets)  # type: ignore[union-attr]

    @property
    def missing(self) -> tuple[int, ...]:
        """The report years between the two releases that nobody has: "2021→2023, 2022 missing"."""
        labels = self.compared_release or "", self.release or ""
        gap = any("gap" in t.flags for t in self.targets)
        if not gap or not all(re.fullmatch(r"(?:19|20)\d\d", x) for x in labels):
            return ()
        return tuple(range(int(labels[0]) + 1, int(labels[1])))


# --------------------------------------------------------------------------- one check


# endings of files that are followed: those with a reader, and archives that are kept by their hash
FILE_TYPES = (
    "pdf", "doc", "docx", "wps", "rtf", "xls", "xlsx", "et", "ofd", "mht", "mhtml", "txt", "csv", "zip", "rar",
)  # fmt: skip

PageRole = Literal["entry", "document", "attachment"]  # configured; found by a listing or an issue; named by a page


@dataclass(frozen=True, slots=True)
class Page:
    """One watched address of a source, and what is remembered about reading it."""

    id: int
    source: str
    url: str
    role: PageRole = "entry"
    title: str | None = None
    date: str | None = None
    found_at: datetime | None = None
    next_due: datetime | None = None
    last_checked: datetime | None = None
    last_good: datetime | None = None
    last_change: datetime | None = None
    etag: str | None = None
    last_modified: str | None = None
    raw_sha256: str | None = None
    since_full: int = 0  # conditional answers in a row
    version: str | None = None
    failure: Failure | None = None
    failing_since: datetime | None = None
    consecutive: int = 0
    gone_count: int = 0
    gone_since: datetime | None = None
    removed: bool = False
    moved_to: str | None = None  # a permanent redirect that was seen …
    moved_times: int = 0  # … in so many good checks in a row, counted up to assess.MOVED_CHECKS
    baseline: bool = True  # nothing of it was ever told: its first version alerts nobody
    rules: str | None = None  # with which rules its latest version was read
    parent: int | None = None  # of an attachment: the page that names it …
    label: str | None = None  # … and the name it has there
    attached: str | None = None  # the mark of the attachments last followed; None: never looked at


@dataclass(frozen=True, slots=True)
class Release:
    """One release of a region and series, as the comparison needs it."""

    version: str
    label: str | None
    record: Record
    source: str
    url: str
    text: str
    title: str | None = None
    published: str | None = None
    series: str | None = None


@dataclass(frozen=True, slots=True)
class Parent:
    """The page that names an attachment, as its latest version has it."""

    url: str
    title: str | None = None
    published: str | None = None
    publisher: str | None = None
    since: datetime | None = None  # when its first version was seen


@dataclass(frozen=True, slots=True)
class Known:
    """Everything `assess` may use about the past of one page."""

    page: Page
    last: Version | None = None
    earlier_fingerprints: Mapping[str, str] = field(default_factory=dict)  # fingerprint -> version id
    releases: tuple[Release, ...] = ()  # of the same region and series, other documents only
    host_answers: bool = False  # another page of the host was read well since this one went missing
    edited: bool = False  # there are versions before the last one
    parent: Parent | None = None  # of an attachment


@dataclass(frozen=True, slots=True)
class Rereading:
    """The body of a known version, read again with other rules: takes the place of what was read from it before.

    Neither a change nor an alert; the earlier reading stays on record.
    """

    version: str
    document: Document
    record: Record
    release: str | None
    sha256: str
    fingerprint: str
    targets: tuple[Target, ...] = ()


@dataclass(frozen=True, slots=True)
class Retold:
    """What today's rules make of a kept text: its record, its release and its targets."""

    record: Record
    release: str | None
    targets: tuple[Target, ...]


@dataclass(frozen=True, slots=True)
class Noise:
    """A rule learned from a site: what is no text of its pages. Lines are compared as `text.segment.normalise` has
    them.

    `kind`: `line` a line of this wording; `heading` a heading and the linked titles below it; `shape` a line that
    differs in its numbers only, or that begins so; `place` lines between known lines of a page that always change.
    """

    host: str
    kind: Literal["line", "heading", "shape", "place"]
    mark: str  # what makes it the same rule when it is learned again
    page: str = ""  # the address it holds for; empty: every page of the host
    rule: Mapping[str, Any] = field(default_factory=dict)
    example: str = ""
    seen: int = 0  # pages that hold it, or fetches at which it had changed …
    of: int = 0  # … of so many
    pages: int = 1  # different pages that bear it out
    id: str = ""  # set by storage: "n3"
    first_seen: datetime | None = None
    last_seen: datetime | None = None
    state: Literal["on", "off"] = "on"
    revision: int = 1  # grows whenever learning finds it to be different


@dataclass(frozen=True, slots=True)
class Following:
    """Which attachments of a page are followed from now on. `moved`: known ones that have a new address."""

    mark: str  # Page.attached of the page
    added: tuple[Attachment, ...] = ()
    moved: tuple[tuple[int, Attachment], ...] = ()  # with the id of the page
    retired: tuple[int, ...] = ()  # ids of pages that are not read any more


ResultWord = Literal["unchanged", "not_modified", "new", "changed", "failed", "blocked", "skipped"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """Everything one check found. storage saves it whole, in one transaction with its alerts."""

    page: Page
    at: datetime
    result: ResultWord
    fetch: Fetch | None = None
    failure: Failure | None = None
    document: Document | None = None
    record: Record = Record()
    release: str | None = None
    sha256: str | None = None
    fingerprint: str | None = None
    targets: tuple[Target, ...] = ()
    change: Change | None = None
    found: tuple[Link, ...] = ()  # documents a listing names
    following: Following | None = None  # attachments, where they are others than last time
    keep_body: bool = False
    next_due: datetime | None = None
    reread: Rereading | None = None  # what the body of the last version is read as today, where that differs
    copy_of: str | None = None  # the version whose text this is, or a part of
    marks: tuple[int, ...] = ()  # sentence hashes of a new text, smallest first: originals and copies meet by them


# --------------------------------------------------------------------------- telling


class Told(Mapping[str, Any]):
    """A payload as it is kept: JSON, read when somebody looks into it. A webhook sends the `text` as it stands."""

    __slots__ = ("_read", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self._read: dict[str, Any] | None = None

    def _plain(self) -> dict[str, Any]:
        if self._read is None:
            self._read = json.loads(self.text)
        return self._read

    def __getitem__(self, name: str) -> Any:
        return self._plain()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._plain())

    def __len__(self) -> int:
        return len(self._plain())

    def __repr__(self) -> str:
        return f"Told({self.text[:60]!r})"


@dataclass(frozen=True, slots=True)
class Alert:
    """A message owed to a channel. `id` is stable over retries; `key` is unique (change and channel)."""

    id: str
    key: str
    channel: str
    type: str  # targets.changed change.detected source.* digest test
    payload: Mapping[str, Any]  # the webhook's `data`: a CHANGE, a FAILURE or a digest
    lang: str = "zh"
    change: str | None = None
    state: Literal["pending", "sent", "dead", "muted"] = "pending"
    attempts: int = 0
    created: datetime | None = None
    next_at: datetime | None = None
    sent_at: datetime | None = None
    error: str | None = None
    digest: str | None = None  # waits to be folded into a digest with this cron
    reached: tuple[str, ...] = ()  # recipients that took it in an earlier attempt
    acked_at: datetime | None = None  # somebody has seen to it


@dataclass(frozen=True, slots=True)
class Message:
    """An alert rendered for people."""

    subject: str
    text: str
    html: str


@dataclass(frozen=True, slots=True)
class Delivery:
    """One attempt to send an alert."""

    alert: str
    at: datetime
    ok: bool
    error: str | None = None
    permanent: bool = False
    retry_after: float | None = None
    reached: tuple[str, ...] = ()  # recipients that have it by now; kept on the alert
    gone: tuple[str, ...] = ()  # recipients that are gone for good; "" is the whole channel


@dataclass(frozen=True, slots=True)
class Off:
    """A channel, or one recipient of it, that said for good that it takes no more."""

    channel: str
    recipient: str  # "": all of it
    at: datetime
    why: str
    mark: str  # of the configuration that was turned off: another one turns it on again


@dataclass(frozen=True, slots=True)
class Mute:
    """What is told to nobody for a while. AND between the keys; None means all."""

    id: str
    until: datetime | None
    source: str | None = None
    url: str | None = None
    indicator: str | None = None
    channel: str | None = None
    why: str | None = None
    created: datetime | None = None


# --------------------------------------------------------------------------- vocabulary (data/*.yaml, by config)


@dataclass(frozen=True, slots=True)
class Indicator:
    """One row of indicators.yaml."""

    id: str  # stable ASCII
    name: str  # canonical Chinese name
    en: str
    aliases: tuple[str, ...] = ()
    units: tuple[str, ...] = ()
    forms: tuple[str, ...] = ()  # growth amount level share count relative commitment
    nature: str | None = None  # 预期性 | 约束性
    group: str | None = None


@dataclass(frozen=True)
class TextRules:
    """noise.yaml: what is chrome, which containers hold the main text, what a bad capture says."""

    containers: tuple[str, ...] = ()  # CSS, best first
    drop: tuple[str, ...] = ()  # elements that never hold text
    chrome_classes: re.Pattern[str] = re.compile(r"(?!)")  # id or class of blocks that are chrome
    chrome_lines: re.Pattern[str] = re.compile(r"(?!)")  # whole lines cut at both ends
    head_lines: re.Pattern[str] = re.compile(r"(?!)")  # lines cut before the text only
    foot_lines: re.Pattern[str] = re.compile(r"(?!)")  # lines cut at the end when a chrome line stands above them
    tail_lines: re.Pattern[str] = re.compile(r"(?!)")  # headings behind which comments or other articles stand
    date_labels: tuple[str, ...] = ()
    publisher_labels: tuple[str, ...] = ()
    attachment_types: tuple[str, ...] = ()
    signs: Mapping[str, tuple[re.Pattern[str], ...]] = field(default_factory=dict)  # failure word -> patterns


@dataclass(frozen=True)
class Vocabulary:
    """All data files, checked and frozen. Pure modules receive it; none of them reads a file."""

    indicators: tuple[Indicator, ...] = ()
    units: Mapping[str, Any] = field(default_factory=dict)  # units.yaml as read, see its comments
    words: Mapping[str, Any] = field(default_factory=dict)  # words.yaml: qualifier, strength, role and period words
    regions: Mapping[str, str] = field(default_factory=dict)  # GB/T 2260 code -> name
    text: TextRules = TextRules()


def iso(day: date | None) -> str | None:
    """YYYY-MM-DD."""
    return day.isoformat() if day else None
