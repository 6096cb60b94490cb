"""The one way to write. Every method that writes is one transaction: all of it is saved, or nothing is.

    with Store("sqlite:///data/mubiao.db") as store:
        for page in store.due(now, 100):
            store.save(outcome, alerts)

Methods may be called from any thread, one at a time for writes. They never wait for anything but the database.
"""

from __future__ import annotations

import contextlib
import secrets
import threading
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

from sqlmodel import Session, col, select

from monitor.errors import StorageError
from monitor.model import (
    Alert,
    Delivery,
    Document,
    Known,
    Link,
    Mute,
    Noise,
    Off,
    Outcome,
    Page,
    Release,
    Rereading,
    Retold,
    Source,
    Version,
)
from storage import (
    attached,
    care,
    comparisons,
    database,
    glances,
    hosts,
    inserting,
    learned,
    leases,
    outbox,
    postgres,
    retention,
    rows,
    silence,
    sketches,
    standing,
    versions,
    watched,
)
from storage.hosts import Host
from storage.learned import Seen
from storage.retention import Pruned, Retention
from storage.standing import Baseline, FirstPass
from storage.tables import REVISIONS, MetaRow, PageRow, SourceRow, VersionRow

YIELD = 0.02  # seconds in which others get to write, between two transactions of thinning out
SYNC = 1.0  # seconds of deliveries that a power cut may make come twice


class Store:
    """One database, open for writing. `url` is sqlite:///path; migrate.upgrade(url) has made or upgraded it."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.path = database.sqlite_path(url)
        self._writer = database.writer(url)
        self._reader = database.reader(url, cache=database.SMALL_CACHE)
        self._turn = threading.Lock()
        self._synced = 0.0  # when a delivery last waited for the disk, by the monotonic clock
        self._daemon = database.lock(url)
        self._place: database.Place | None = None  # of a file, once it is open

    # ------------------------------------------------------------------ opening

    def open(self) -> Self:
        """Raises StorageError for a database that is missing, older or newer than this program."""
        if self.path is not None and not self.path.exists():
            raise StorageError(f"there is no database {self.path} yet; run: mubiao db upgrade")
        self._place = database.Place(self.path) if self.path is not None else None
        self.require_current()
        return self

    def require_current(self) -> None:
        """Raises NewerError where another program has upgraded the tables meanwhile, as it may beside workers."""
        database.require_current(self._reader, REVISIONS)

    def close(self) -> None:
        """Close every connection and give the daemon's lock back."""
        self._reader.dispose()
        self._writer.dispose()
        self._daemon.release()

    def __enter__(self) -> Self:
        return self.open()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def lock_daemon(self) -> None:
        """Be the daemon of this database until `close`. Raises StorageError naming the pid of another one."""
        self._daemon.take()

    def require_place(self) -> None:
        """Raises StorageError where the file that is written to is no longer the one with its name."""
        if self._place is not None:
            self._place.require()

    @contextlib.contextmanager
    def _note(self) -> Iterator[Session]:
        """One transaction that names no blob and no payload."""
        self.require_place()
        with (
            self._turn,
            database.plain_errors(self._writer),
            Session(self._writer, expire_on_commit=False) as session,
            session.begin(),
        ):
            yield session

    @contextlib.contextmanager
    def _write(self, *, alone: bool = False) -> Iterator[Session]:
        """One transaction. `alone` keeps other machines out for its time: on SQLite nobody else writes anyway."""
        with self._note() as session:
            if self.path is None:  # a blob that one finds and names must not be swept away by another in between
                (postgres.alone if alone else postgres.share)(session.connection(), postgres.KEEPING)
            yield session

    @contextlib.contextmanager
    def _write_soon(self) -> Iterator[Session]:
        """As `_write`, but the disk is waited for once in SYNC seconds only: for what repeats something when it is
        lost, and loses nothing."""
        self.require_place()
        with self._turn, contextlib.ExitStack() as stack:
            if time.monotonic() - self._synced < SYNC:
                stack.enter_context(database.unsynced(self._writer))
            else:
                self._synced = time.monotonic()
            stack.enter_context(database.plain_errors(self._writer))
            session = stack.enter_context(Session(self._writer, expire_on_commit=False))
            stack.enter_context(session.begin())
            yield session

    @contextlib.contextmanager
    def _read(self) -> Iterator[Session]:
        with database.plain_errors(self._reader), Session(self._reader) as session:
            yield session

    # ------------------------------------------------------------------ what is watched

    def sync_sources(
        self, sources: Sequence[Source], now: datetime, first_due: Callable[[Source], datetime]
    ) -> list[str]:
        """Take over the configuration; a new, woken or moved source gets its entry page, due at `first_due`.

        Returns the keys of known sources whose `match`, `match_text` or `links` changed: see `choose`.
        """
        with self._note() as session:
            return watched.sync(session, sources, now, first_due)

    def choose(
        self, source: str, wanted: Callable[[Page, Callable[[], Document | None]], bool], now: datetime
    ) -> tuple[int, int]:
        """Stop reading a source's documents that are not wanted, take up those that are: how many of each.

        `wanted` may ask for a document's last version.
        """
        with self._note() as session:

            def is_wanted(row: PageRow) -> bool:
                return wanted(rows.page(row), lambda: versions.last_document(session, row))

            return watched.choose(session, source, is_wanted, now)

    def add_source(self, source: Source, now: datetime) -> None:
        """A source that holds imported documents: made where there is none, never due by itself.

        What a known source lacks of region and series is filled in; nothing else of it is touched.
        """
        with self._note() as session:
            watched.add_source(session, source, now)

    def entry(
        self,
        source: str,
        url: str,
        now: datetime,
        next_due: datetime | None = None,
        role: Literal["entry", "document"] = "document",
    ) -> Page:
        """The page of a source with this address, made where there is none (import, computed e-paper addresses)."""
        with self._note() as session:
            row = watched.find(session, source, url)
            if row is None:
                owner = session.get(SourceRow, source)
                if owner is None:
                    raise StorageError(f"no source {source}")
                row = PageRow(
                    source=source,
                    url=url,
                    role=role,
                    host=rows.host_of(url),
                    found_at=now,
                    next_due=next_due,
                    baseline=owner.baseline_done_at is None,
                )
                session.add(row)
                session.flush()
            return rows.page(row)

    def add_pages(self, source: str, links: Iterable[Link], now: datetime, due: datetime | None = None) -> list[Page]:
        """The pages of these links that were not known yet, due at `due` or at once."""
        with self._note() as session:
            return watched.add(session, source, links, now, due or now)

    def finish_pass(self, source: str, now: datetime) -> bool:
        """Once everything that a source found at first has been read, what it finds from then on is new: whether it is
        so far."""
        with self._note() as session:
            watched.finish(session, source, now)
            return source in glances.past_first(session, [source])

    def past_first_pass(self, keys: Collection[str]) -> set[str]:
        """Which of these sources' first complete pass is over."""
        with self._read() as session:
            return glances.past_first(session, keys)

    # ------------------------------------------------------------------ what is due

    def others_failing(self, page: int, times: int) -> bool:
        """Whether another page of the same source has failed that often in a row, taken-down documents left out."""
        with self._read() as session:
            return watched.others_failing(session, page, times)

    def due(
        self,
        now: datetime,
        limit: int,
        exclude_hosts: Collection[str] = (),
        per_host: int | None = None,
        host: str | None = None,
    ) -> list[Page]:
        """Pages whose time has come and that nobody is checking, longest waiting first: none of a held host, at most
        `per_host` of each host, or only those of one `host`."""
        with self._read() as session:
            return watched.due(session, now, limit, watched.Hosts(exclude_hosts, per_host, host))

    def due_hosts(self, now: datetime) -> list[str]:
        """The hosts of pages that are due and that nobody is checking, the longest waiting first."""
        with self._read() as session:
            return watched.due_hosts(session, now)

    def pages(self, keys: Sequence[str] | None = None, include_documents: bool = True) -> list[Page]:
        """Every page that is still read, of these sources or of all, entries first."""
        with self._read() as session:
            return watched.pages(session, keys, include_documents)

    def attachments(self, page: int) -> list[Page]:
        """The pages of a page's attachments, those it no longer names included."""
        with self._read() as session:
            return attached.pages(session, page)

    def unread_pages(self, source: str) -> list[Page]:
        """Pages of a source that were found and never checked."""
        with self._read() as session:
            return watched.unread_pages(session, source)

    def next_due(self) -> datetime | None:
        """When the next page is due."""
        with self._read() as session:
            return watched.next_due(session)

    def set_due(self, page: int, at: datetime | None) -> None:
        """Move the due time of one page; None retires it."""
        with self._note() as session:
            row = session.get_one(PageRow, page)
            row.next_due = at
            session.add(row)

    def checked_ahead(self, now: datetime, after: int, limit: int, among: Collection[int] | None = None) -> list[Page]:
        """Pages beyond this id that were checked in the future, by id: the clock was set back since."""
        with self._read() as session:
            return watched.checked_ahead(session, now, after, limit, among)

    def set_dues(self, dues: Mapping[int, datetime]) -> None:
        """Move the due times of these pages."""
        with self._write() as session:
            watched.set_dues(session, dues)

    def set_back(self, now: datetime, by: timedelta) -> None:
        """The clock was set back: holds of hosts and what waits in the outbox end as much earlier."""
        with self._write() as session:
            hosts.set_back(session, now, by)
            outbox.set_back(session, now, by)

    # ------------------------------------------------------------------ one check

    def load(self, page: int) -> Known:
        """The past of one page; `releases` is a second call, for the few checks that need it."""
        with self._read() as session:
            return versions.load(session, page)

    def take(self, pages: Collection[int], due_by: datetime | None = None) -> tuple[dict[int, Known], dict[int, str]]:
        """Claim pages for a check: their pasts as `glance` has them, and their leases, which every save asks for.

        Those that somebody else is checking are left out, with `due_by` also those that are not due by then. A SQLite
        file has one checker, which holds the daemon's lock: it needs no leases, and to write them was a tenth of the
        work of an unchanged page.
        """
        if not self.shared:
            known = self.glance(pages)
            return {n: k for n, k in known.items() if due_by is None or _is_due(k.page, due_by)}, {}
        token = secrets.token_hex(12)
        with self._note() as session:
            claimed = leases.claim(session, pages, token, due_by)
            return glances.glance(session, claimed), dict.fromkeys(claimed, token)

    def renew(self, held: Mapping[int, str]) -> None:
        """Keep these leases for a while longer. Nothing to do where nobody else checks."""
        if self.shared and held:
            with self._note() as session:
                leases.renew(session, held)

    def give_up(self, held: Mapping[int, str]) -> None:
        """These pages are not checked after all: others may."""
        if held:
            with self._note() as session:
                leases.release(session, held)

    def glance(self, pages: Collection[int]) -> dict[int, Known]:
        """The past of these pages without their texts: enough to see that nothing changed, never more."""
        with self._read() as session:
            return glances.glance(session, pages)

    def body(self, version: str) -> bytes | None:
        """The body a version was read from, as received; None where it was not kept, or is damaged."""
        with self._read() as session, contextlib.suppress(StorageError):
            return versions.raw_of(session, session.get_one(VersionRow, rows.number(version)))
        return None

    def releases(self, page: int) -> tuple[Release, ...]:
        """Latest versions of other documents of the page's region, with their texts; its own series first."""
        with self._read() as session:
            return versions.releases(session, page)

    def save(
        self,
        outcome: Outcome,
        alerts: versions.Alerting | None = None,
        *,
        health: Sequence[Alert] = (),
        lease: str | None = None,
        finishes: bool = False,
    ) -> str | None:
        """Everything one check found, with the alerts it owes. Returns the id of the change, if there was one.

        `alerts` is asked once the change has its ids (`id`, `new_version`); `health` are alerts about the source
        itself. Alerts whose key is known are left out. Raises leases.LostError, with nothing saved, where the page's
        `lease` is another's by now; it ends with the save. `finishes`: this may be the last page of its source's first
        complete pass, as `finish_pass`.
        """
        page = outcome.page
        with self._write() as session:
            if outcome.found or outcome.following is not None or finishes:
                watched.lock(session, page.source)
            if lease is not None:
                leases.end(session, page.id, lease)
            change = versions.save(session, outcome, alerts, health)
            if finishes:
                watched.finish(session, page.source, outcome.at)
            return change

    def recompare(self, page: int, again: comparisons.Again) -> list[str]:
        """Make comparisons that skipped this page's document again, silently; the ids of the changes that differ."""
        with self._read() as session:
            known = comparisons.later(session, page)
        made = [again(x.change, x.version, x.source, x.releases) for x in known]
        moved = [new for old, new in zip(known, made, strict=True) if new != old.change]
        if moved:
            with self._write() as session:
                for change in moved:
                    comparisons.replace(session, change)
        return [change.id for change in moved]

    def retarget(self, version: str, again: Retold) -> bool:
        """Keep this reading of a stored text in place of the last one; False where both say the same."""
        with self._write() as session:
            return versions.retarget(session, rows.number(version) or 0, again)

    def save_unchanged(self, outcomes: Iterable[Outcome], held: Mapping[int, str] | None = None) -> set[int]:
        """Many checks that found nothing new: when their pages were read, and when next. One transaction for all.

        `held` are the leases of these pages; they end. Returns the pages whose lease was lost, which are not written.
        """
        known = sorted(outcomes, key=lambda o: o.page.id)  # who writes many writes in one order: nobody locks up
        with self._note() as session:
            lost = held.keys() - leases.release(session, held) if held else set[int]()
            glances.write(session, (o for o in known if o.page.id not in lost))
            return lost

    def reread(self, page: int, again: Rereading | None, rules: str | None, at: datetime) -> bool:
        """Show this reading of a version from now on, and remember the rules. False where it says what stood there."""
        with self._write() as session:
            row = session.get_one(PageRow, page)
            row.rules = rules
            session.add(row)
            return again is not None and versions.reread(session, page, again, at)

    def version(self, name: str) -> Version:
        """One version with its document."""
        with self._read() as session:
            return versions.version_of(session, session.get_one(VersionRow, rows.number(name)))

    def originals(self, page: int, sha256: str, marks: Sequence[int], chars: int) -> list[Version]:
        """Versions of other pages that a new text may be a copy of, the likeliest first, with their texts."""
        with self._read() as session:
            numbers = sketches.originals(session, page, sha256, marks, chars)
            return [versions.version_of(session, session.get_one(VersionRow, number)) for number in numbers]

    # ------------------------------------------------------------------ noise

    def noise(self, hosts: Collection[str] | None = None) -> list[Noise]:
        """Every rule learned from these hosts or from all, switched-off ones included."""
        with self._read() as session:
            return learned.rules(session, hosts)

    def noise_stamp(self) -> str:
        """Another one whenever a rule is new, differs, was switched or forgotten."""
        with self._read() as session:
            return learned.stamp(session)

    def learn(self, found: Iterable[Noise], now: datetime) -> list[Noise]:
        """Take over what was learned; returns the rules that are new or differ. Off stays off."""
        with self._note() as session:
            return learned.learn(session, found, now)

    def switch_noise(self, names: Sequence[str], hosts: Collection[str], state: str) -> list[Noise]:
        """Switch rules of these hosts "on" or "off", or have them "forgotten". Raises UsageError for a foreign one."""
        with self._note() as session:
            return learned.switch(session, names, hosts, state)

    def window(self, page: int, least: int = 1) -> list[Seen]:
        """The newest versions of a page with their bodies, oldest first; none where there are fewer than `least`."""
        with self._read() as session:
            return learned.window(session, page, least)

    def latest(self, *, host: str | None = None, source: str | None = None, limit: int | None = None) -> list[Seen]:
        """The latest versions of the pages of a host or a source with their bodies, newest first."""
        with self._read() as session:
            return learned.latest(session, host, source, limit)

    def read_pages(self, host: str) -> int:
        """How many pages of a host have been read."""
        with self._read() as session:
            return learned.count(session, host)

    def hosts_of(self, source: str) -> list[str]:
        """The hosts of a source's pages."""
        with self._read() as session:
            return learned.hosts_of(session, source)

    # ------------------------------------------------------------------ hosts

    def hold_host(self, host: str, until: datetime, reason: str | None = None) -> None:
        """No page of this host is due before `until`; a longer hold stands."""
        with self._note() as session:
            hosts.hold(session, host, until, reason)

    def slow_down(self, host: str, delay: float | None) -> None:
        """Keep the seconds that this host's trouble taught us to leave between two requests."""
        with self._note() as session:
            hosts.slow_down(session, host, delay)

    @property
    def shared(self) -> bool:
        """Whether other machines may check beside this one."""
        return self.path is None

    def claim_host(self, host: str) -> datetime | None:
        """Be the machine that asks this host, for `leases.LEASE`: the lease's token, None while another one is.

        On PostgreSQL only, as `renew_hosts` and `leave_host`.
        """
        with self._note() as session:
            return hosts.claim(session, host)

    def renew_hosts(self, held: Mapping[str, datetime]) -> dict[str, datetime]:
        """Stay at these hosts: the new tokens of those that are still ours."""
        with self._note() as session:
            return hosts.renew(session, held)

    def leave_host(self, host: str, token: datetime, gap: float) -> None:
        """Others may ask this host after so many seconds."""
        with self._note() as session:
            hosts.leave(session, host, token, gap)

    def release_host(self, host: str) -> None:
        """End a hold."""
        with self._note() as session:
            row = hosts.row(session, host)
            row.not_before = row.reason = None

    def set_delay(self, host: str, seconds: float) -> None:
        """Remember the learned gap between two requests."""
        with self._note() as session:
            hosts.row(session, host).delay = seconds

    def host(self, host: str) -> Host | None:
        """What is remembered about one host."""
        with self._read() as session:
            return hosts.get(session, host)

    def hosts(self, names: Sequence[str] | None = None) -> list[Host]:
        """What is remembered about these hosts, or about all."""
        with self._read() as session:
            return hosts.some(session, names)

    def put_robots(self, host: str, text: str | None, status: int | None, at: datetime) -> None:
        """Remember a host's robots.txt; `text` None keeps the last good copy (its time stays too)."""
        with self._note() as session:
            row = hosts.row(session, host)
            row.robots_status = status
            if text is not None:
                row.robots, row.robots_at = text, at

    # ------------------------------------------------------------------ alerts

    def enqueue(self, alerts: Iterable[Alert], now: datetime) -> int:
        """Add alerts that belong to no check; returns how many were not known yet."""
        with self._write() as session:
            return outbox.enqueue(session, alerts, now)

    def channels_due(self, now: datetime) -> list[str]:
        """The channels that have something to send now."""
        with self._read() as session:
            return outbox.channels(session, now)

    def claim_alerts(
        self, now: datetime, limit: int = 50, lease_seconds: float = 300, *, channel: str | None = None
    ) -> list[Alert]:
        """Alerts to send now, of one channel or of all; nobody else gets them before the lease ends."""
        with self._read() as session:
            if not outbox.due(session, now, 1, channel):
                return []
        with self._write_soon() as session:
            return outbox.claim(session, now, limit, lease_seconds, channel)

    def hold_alerts(self, channel: str, now: datetime, until: datetime) -> None:
        """What a channel in trouble owes now waits until then."""
        with self._note() as session:
            outbox.hold(session, channel, now, until)

    def release_alerts(self, now: datetime) -> int:
        """What a sender that died had claimed is due now; for the holder of the daemon's lock. Returns how many."""
        with self._note() as session:
            return outbox.release(session, now)

    def record_delivery(self, delivery: Delivery, next_at: datetime | None = None) -> None:
        """An attempt: sent, to be tried again at `next_at`, or dead (permanent, or no `next_at`)."""
        with self._write_soon() as session:
            outbox.record(session, delivery, next_at)

    def retry_alerts(self, ids: Sequence[str] | None, now: datetime) -> int:
        """Make these due now, or all that failed; returns how many."""
        with self._note() as session:
            return outbox.retry(session, ids, now)

    def silenced(self, ids: Sequence[str], why: str) -> None:
        """These alerts are muted: kept, and sent to nobody."""
        with self._note() as session:
            silence.silence(session, ids, why)

    def acknowledge(self, ids: Sequence[str], now: datetime) -> int:
        """Somebody has seen to these; returns how many messages of their changes that concerns."""
        with self._note() as session:
            return silence.acknowledge(session, ids, now)

    def mute(self, wanted: Mute, now: datetime) -> Mute:
        """Tell nobody about it for a while; returned with its id."""
        with self._note() as session:
            return silence.mute(session, wanted, now)

    def unmute(self, ids: Sequence[str]) -> int:
        """End these mutes; returns how many there were."""
        with self._note() as session:
            return silence.unmute(session, ids)

    def mutes(self, now: datetime) -> list[Mute]:
        """What is muted now."""
        with self._read() as session:
            return silence.mutes(session, now)

    def turn_off(self, what: Sequence[Off], notices: Callable[[Sequence[Off]], Sequence[Alert]]) -> list[Off]:
        """Channels or recipients that take no more, with the alerts that tell of those not known before."""
        with self._write() as session:
            new = silence.turn_off(session, what)
            outbox.enqueue(session, notices(new), max(x.at for x in what))
            return new

    def turn_on(self, channels: Sequence[str]) -> list[Off]:
        """Use these channels again; returns what had been off."""
        with self._note() as session:
            return silence.turn_on(session, channels)

    def off(self) -> list[Off]:
        """Channels and recipients that take no more."""
        with self._read() as session:
            return silence.off(session)

    def sent_since(self, channel: str, since: datetime) -> list[datetime]:
        """When a channel took a message, since then, oldest first."""
        with self._read() as session:
            return silence.sent_since(session, channel, since)

    # ------------------------------------------------------------------ how things stand

    def first_passes(self) -> list[FirstPass]:
        """The watched sources whose first reading is not over or not told of, and how far it is."""
        with self._read() as session:
            return standing.first_passes(session)

    def read_once(self) -> set[str]:
        """The keys of the watched sources whose first complete pass is over."""
        with self._read() as session:
            return standing.read_once(session)

    def first_crawl(self) -> tuple[int, int]:
        """Sources whose first complete pass is not over, and how many of their pages were never read."""
        with self._read() as session:
            return standing.first_crawl(session)

    def baseline(self, keys: Sequence[str]) -> Baseline:
        """What the first reading of these sources found."""
        with self._read() as session:
            return standing.baseline(session, keys)

    def announce(self, keys: Sequence[str], alerts: Sequence[Alert], now: datetime) -> None:
        """Tell of the first reading of these sources, and keep that it was told."""
        with self._write() as session:
            outbox.enqueue(session, alerts, now)
            standing.announced(session, keys, now)

    def release_days(self) -> dict[str, dict[int, date]]:
        """For each watched source the years of its releases, and when each came out."""
        with self._read() as session:
            return standing.release_days(session)

    def column_dates(self) -> dict[str, list[str]]:
        """The newest dates of the documents of each watched list."""
        with self._read() as session:
            return standing.column_dates(session)

    def counts(self) -> dict[str, int]:
        """Watched sources, and how many of their pages fail."""
        with self._read() as session:
            return standing.counts(session)

    def told(self, version: str) -> list[Alert]:
        """What was sent at once of the moved targets that this version brought, and nobody has acknowledged."""
        number = rows.number(version)
        assert number is not None
        with self._read() as session:
            return outbox.told(session, number)

    def digest_groups(self) -> list[tuple[str, str]]:
        """Every (channel, cron) for which alerts wait."""
        with self._read() as session:
            return outbox.groups(session)

    def digest_waiting(self, channel: str, cron: str) -> list[Alert]:
        """What the next digest of a channel will hold, oldest first."""
        with self._read() as session:
            return outbox.waiting(session, channel, cron)

    def fold(self, ids: Sequence[str], digest: Alert, now: datetime) -> bool:
        """Replace these by one message. False, and nothing done, if one with its key exists."""
        with self._write() as session:
            return outbox.fold(session, ids, digest, now)

    # ------------------------------------------------------------------ care

    def prune(self, rules: Sequence[Retention], now: datetime, *, dry_run: bool = False) -> Pruned:
        """Thin out as the rules say, all at once; a dry run only counts. Nothing referred to goes."""
        with self._write(alone=True) as session:
            gone = retention.prune(session, rules, now)
            if dry_run:
                session.rollback()
            return gone

    def thin_out(self, rules: Sequence[Retention], now: datetime, enough: Callable[[], bool]) -> Pruned:
        """The same beside the work of a daemon: in short transactions, until it is `enough`."""
        finished, versions, bodies = True, Counter[str](), Counter[str]()
        for rule in rules:
            after: int | None = 0
            while after is not None and (finished := not enough()):
                with self._write(alone=True) as session:
                    gone, after = retention.thin(session, rule, now, after=after, most=retention.SOME)
                versions += gone
                time.sleep(YIELD)
            if not finished:
                break
            with self._write(alone=True) as session:
                bodies += retention.strip(session, rule, now)
        with self._write(alone=True) as session:
            done = replace(retention.told(session, versions, bodies), finished=finished)
            retention.remember(session, done, now)
        return done

    def backup(self, target: Path) -> int:
        """A whole copy while everybody goes on working; returns its size in bytes."""
        return care.backup(self.url, target)

    def optimize(self) -> None:
        """Housekeeping for quiet hours: statistics for the planner, and the write-ahead log folded in."""
        with (
            self._turn,
            database.plain_errors(self._writer),
            contextlib.closing(self._writer.raw_connection()) as connection,
        ):
            database.optimize(connection)

    def check(self) -> list[care.Finding]:
        """Everything that is not what it was when it was written."""
        return care.check(self.url)

    # ------------------------------------------------------------------ single values

    def get_meta(self, key: str) -> str | None:
        """A value that `set_meta` kept."""
        with self._read() as session:
            return session.exec(select(MetaRow.value).where(col(MetaRow.key) == key)).first()

    def set_meta(self, key: str, value: str) -> None:
        """Keep one short value: the last tick, the last digest."""
        with self._note() as session:
            inserting.single(session, key, value)


def _is_due(page: Page, at: datetime) -> bool:
    return page.next_due is not None and page.next_due <= at
