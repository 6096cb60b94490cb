"""One check of one page, and many at once: load, fetch, assess, match alerts, save. Decides nothing itself.

    Checker(store, fetcher, config, vocabulary).check(pages, on_outcome) -> Summary

One task serves one host (so a slow host delays nobody else), assessing runs in a worker thread and everything that is
written goes through one thread; what is read has others, or a hundred new texts to save would hold up every start.
Cancelling is safe at any await: what was saved is saved, the rest stays due.

Most checks find nothing new, so that is made cheap: the pasts of the next pages are read together and without texts
(`Store.glance`), and unchanged checks are saved a batch at a time. Whatever brings a version, a change, an alert or a
failure is saved at once, by itself, against the whole past (`Store.load`). A kill loses at most the note that some
pages were read and unchanged; they are still due.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import islice
from typing import Any, TypeVar

import httpx
import structlog

from alerts import rules
from monitor import assess, attached, files, schedule, wire
from monitor.assess import Reading
from monitor.errors import StorageError
from monitor.fetch import lists, parts
from monitor.fetch.client import Fetcher, host_key
from monitor.fetch.room import IN_MEMORY
from monitor.fetch.stays import BusyError, Stays
from monitor.learning import Again, Learning, classes
from monitor.model import (
    GONE_WORDS,
    Alert,
    Change,
    Config,
    Failure,
    Fetch,
    Known,
    Outcome,
    Page,
    Release,
    ResultWord,
    Source,
    Vocabulary,
)
from monitor.walks import Glances, Walks
from storage.leases import LEASE, RENEWED, LostError
from storage.store import Store
from storage.versions import Alerting

log = structlog.get_logger("mubiao.check")

T = TypeVar("T")
Follow = Callable[[Outcome | None, int], None]

FAILING_AFTER = 3  # failures in a row before anybody is told
AHEAD = 60  # pages of the same host whose past is read along with that of the next one
LARGE = 200_000  # bytes of a page that may take seconds to read: it shares the core and holds up no other
MOST_UNSAVED = 64  # unchanged checks that wait for each other to be saved …
UNSAVED_FOR = 0.5  # … and for how many seconds


def utc_now() -> datetime:
    """The wall clock, the only one in this room."""
    return datetime.now(UTC)


@dataclass(slots=True)
class Summary:
    """What one pass did. `changes` are those worth listing (baselines are counted, not listed)."""

    started: datetime
    finished: datetime | None = None
    counts: dict[ResultWord, int] = field(
        default_factory=lambda: dict.fromkeys(
            ("unchanged", "not_modified", "new", "changed", "failed", "blocked", "skipped"), 0
        )
    )
    changes: list[Change] = field(default_factory=list)
    baselines: int = 0
    failures: list[tuple[Page, Failure]] = field(default_factory=list)
    sent: int = 0  # messages delivered at the end
    undelivered: int = 0
    interrupted: bool = False

    @property
    def checked(self) -> int:
        return sum(n for word, n in self.counts.items() if word != "skipped")

    def json(self) -> wire.JSON:
        """The shape of `mubiao check --json`."""
        return {
            "started": wire.time(self.started),
            "finished": wire.time(self.finished),
            "checked": self.checked,
            **{str(word): n for word, n in self.counts.items()},
            "baselines": self.baselines,
            "changes": [wire.change(c) for c in self.changes],
            "failures": [wire.failure(page, why) for page, why in self.failures],
        }


@dataclass(frozen=True, slots=True)
class Shift:
    """The bounds of a worker's turn at one host. What a list names there is left due, for the turns of its hosts."""

    due_by: datetime  # only pages that are still due then
    until: float  # no page is begun after it, by the event loop's clock


class Checker:
    """Runs checks. Owns no connection: the caller opens and closes store and fetcher."""

    def __init__(
        self,
        store: Store,
        fetcher: Fetcher,
        config: Config,
        vocabulary: Vocabulary,
        *,
        now: Callable[[], datetime] = utc_now,
        began: Callable[[timedelta], None] = lambda late: None,
    ) -> None:
        self.store, self.fetcher, self.vocabulary, self.now = store, fetcher, vocabulary, now
        self.began = began  # hears how long after its due time a check began
        self.config = config
        self.learning = Learning(store, vocabulary)
        self._database: Executor = ThreadPoolExecutor(1, thread_name_prefix="database")
        self._reads: Executor = ThreadPoolExecutor(1, thread_name_prefix="reads")
        self._looks: Executor = ThreadPoolExecutor(1, thread_name_prefix="looks")  # at what is due, behind nothing
        self._assessors: Executor = ThreadPoolExecutor(1, thread_name_prefix="assess")
        self._slow: Executor = ThreadPoolExecutor(1, thread_name_prefix="slow")  # large pages: the others pass them
        self._readers: Executor = ThreadPoolExecutor(1, thread_name_prefix="files")  # waits for processes
        if store.shared:
            claim, renew = partial(self.database, store.claim_host), partial(self.database, store.renew_hosts)
            fetcher.hosts.stays = Stays(claim, renew, self._leave)
        self._freeing = set[asyncio.Task[None]]()  # leases that a server away did not hear the end of
        self._passes = 0  # under way
        self._saved = 0.0  # when unchanged checks were last saved, by the event loop's clock
        self._past_first: set[str] = set()  # sources whose first complete pass is known to be over
        self._running: set[int] = set()  # pages being checked or saved: a tick must not start them twice
        self._unsaved: dict[int, Outcome] = {}  # unchanged ones, by page
        self._leases: dict[int, str] = {}  # of claimed pages that are not saved yet
        self._renewed = 0.0  # when the leases were last renewed, by the event loop's clock
        self._fresh: dict[int, Page] = {}  # pages that got a version, from which noise may be learned
        self._log = log.bind()

    @property
    def config(self) -> Config:
        """The configuration that checks follow; a new one holds from the next check on."""
        return self._config

    @config.setter
    def config(self, config: Config) -> None:
        self._config, self._sources = config, {s.key: s for s in config.sources}

    def close(self) -> None:
        """Waits for the write under way."""
        for later in self._freeing:
            later.cancel()
        self._assessors.shutdown(wait=True, cancel_futures=True)
        self._slow.shutdown(wait=True, cancel_futures=True)
        self._readers.shutdown(wait=True, cancel_futures=True)
        self._reads.shutdown(wait=True, cancel_futures=True)
        self._looks.shutdown(wait=True, cancel_futures=True)
        self._database.shutdown(wait=True)

    async def database(self, work: Callable[..., T], *args: Any, **kwargs: Any) -> T:
        """One call on the thread that writes."""
        return await asyncio.get_running_loop().run_in_executor(self._database, partial(work, *args, **kwargs))

    async def read(self, work: Callable[..., T], *args: Any) -> T:
        """One question to the database, which waits for no write: it finds what has been saved by now."""
        return await asyncio.get_running_loop().run_in_executor(self._reads, partial(work, *args))

    async def look(self, work: Callable[..., T], *args: Any, **kwargs: Any) -> T:
        """A question about what is due, which waits for no other.

        A page that was under way when it was asked may have been saved since: its due time is an old one.
        """
        return await asyncio.get_running_loop().run_in_executor(self._looks, partial(work, *args, **kwargs))

    def note(self, work: Callable[..., None], *args: Any) -> None:
        """Have something written that nobody waits for, in order with everything else that is. On the event loop."""
        asyncio.get_running_loop().run_in_executor(self._database, partial(work, *args)).add_done_callback(_noted)

    def _assessor(self, size: int) -> Executor:
        """The thread that reads a page of so many bytes."""
        return self._slow if size > LARGE else self._assessors

    async def _assess(self, size: int, work: Callable[..., T], *args: Any) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._assessor(size), partial(work, *args))

    # ------------------------------------------------------------------ many pages

    @property
    def running(self) -> int:
        """How many pages are being checked, those that lists just named included."""
        return len(self._running)

    def under_way(self) -> set[int]:
        """The pages that are being checked or saved."""
        return set(self._running)

    def is_running(self, page: int) -> bool:
        """Whether a check of this page is under way."""
        return page in self._running

    async def check(
        self,
        pages: Iterable[Page],
        follow: Follow | None = None,
        summary: Summary | None = None,
        shift: Shift | None = None,
    ) -> Summary:
        """Check these pages and the documents they lead to. `follow` hears each outcome and how many pages are known.

        `summary` is filled as it goes, so that a cancelled pass still says what it finished.
        """
        done = summary or Summary(self.now())
        queues: dict[str, deque[Page]] = {}
        for page in pages:
            if page.id not in self._running:
                queues.setdefault(page_host(page.url), deque()).append(page)
                self._running.add(page.id)
        total = sum(map(len, queues.values()))
        tell = follow or (lambda outcome, known: None)
        tell(None, total)
        taken = set[int]()
        self._passes += 1
        self._log = log.bind()  # once for all pages: a logger that says nothing took a fortieth of the loop's time
        glances = Glances(partial(self._take, taken, shift.due_by if shift else None))
        clock, fetcher = asyncio.get_running_loop().time, self.fetcher

        async def walk(host: str) -> None:
            with suppress(BusyError):  # another machine is there: what is due at it stays so
                async with fetcher.hosts.at(host, patience=None if shift is None else 0.0):
                    await walk_through(host)

        async def walk_through(host: str) -> None:
            nonlocal total
            while queues[host] and (shift is None or clock() < shift.until):
                page = queues[host].popleft()
                try:
                    with self.fetcher.room.check():
                        outcome, found = await self._one(page, done, glances, islice(queues[host], AHEAD))
                finally:
                    if page.id not in self._unsaved:
                        self._running.discard(page.id)
                if len(self._unsaved) >= MOST_UNSAVED:
                    await self._save_unchanged()
                found = found if shift is None else ()
                for other in found:
                    self._running.add(other.id)
                    queues.setdefault(page_host(other.url), deque()).append(other)
                total += len(found)
                tell(outcome, total)
                outcome = None  # a walk that goes on holds nothing of what it has done
                for place in {page_host(x.url) for x in found} - {host}:
                    walks.start(place, self._width(queues[place]))

        walks = Walks(walk)
        try:
            await self.read(self.learning.refresh)
            if first := {p.source for queue in queues.values() for p in queue} - self._past_first:
                self._past_first |= await self.read(self.store.past_first_pass, first)
            for host, queue in list(queues.items()):
                walks.start(host, min(self._width(queue), len(queue)))
            await self._walked(walks)
            await self._learn()
        except BaseException:
            await walks.cancel()
            with suppress(StorageError):  # the first one is under way already
                await self._save_unchanged()
            raise
        finally:
            self._passes -= 1
            self._running -= {p.id for queue in queues.values() for p in queue}
            done.finished = self.now()
            await self._give_up(taken)
        return done

    async def _walked(self, walks: Walks) -> None:
        """Wait for the end of a pass, and have unchanged checks saved meanwhile, those of all passes together."""
        clock = asyncio.get_running_loop().time
        while not await walks.over(within=UNSAVED_FOR):
            if clock() - self._saved >= UNSAVED_FOR:
                await self._save_unchanged()
            await self._renew()
        if self._passes == 1 or self.store.shared:  # else another pass saves them along with its own
            await self._save_unchanged()

    async def _take(self, taken: set[int], due_by: datetime | None, pages: list[int]) -> dict[int, Known]:
        ask = self.database if self.store.shared else self.read  # a claim is written
        known, leases = await ask(self.store.take, pages, due_by)
        self._leases |= leases
        taken |= leases.keys()
        return known

    async def _leave(self, host: str, token: datetime, gap: float) -> None:
        await self._free(partial(self.store.leave_host, host, token, gap))

    async def _renew(self) -> None:
        """A page may wait long for its host: say now and then that we are still at it."""
        now = asyncio.get_running_loop().time()
        if now - self._renewed < RENEWED:
            return
        self._renewed = now
        if self._leases:
            await self.database(self.store.renew, dict(self._leases))
        if self.fetcher.hosts.stays is not None:
            await self.fetcher.hosts.stays.renew()

    async def _give_up(self, taken: set[int]) -> None:
        """What a pass claimed and did not save may be checked by others at once."""
        left = {page: lease for page in taken if (lease := self._leases.pop(page, None))}
        await self._free(partial(self.store.give_up, left))

    async def _free(self, work: Callable[[], None]) -> None:
        """End a lease; where the server is away, when it answers again or the lease has ended by itself."""
        try:
            await self.database(work)
        except StorageError:
            if self.store.shared:
                later = asyncio.create_task(self._free_later(work))
                self._freeing.add(later)
                later.add_done_callback(self._freeing.discard)

    async def _free_later(self, work: Callable[[], None]) -> None:
        clock = asyncio.get_running_loop().time
        ended = clock() + LEASE.total_seconds()
        while clock() < ended:
            await asyncio.sleep(1.0)
            with suppress(StorageError):
                return await self.database(work)
        return None

    def knows(self, page: Page) -> bool:
        """Whether the page is of a source of our sources.yaml."""
        return page.source in self._sources

    def _width(self, queue: Iterable[Page]) -> int:
        """How many tasks walk through a host's pages: what its most generous source allows."""
        widths = [s.concurrency_per_host for p in queue if (s := self._sources.get(p.source))]
        return max(widths, default=1)

    async def _one(
        self, page: Page, done: Summary, glances: Glances, following: Iterable[Page]
    ) -> tuple[Outcome | None, Sequence[Page]]:
        """One page; nothing that goes wrong with it ends the others."""
        try:
            known = await glances.of(page, following)
            if known is None:
                done.counts["skipped"] += 1
                return None, ()
            if page.next_due is not None:
                self.began(self.now() - page.next_due)
            outcome, change = await self._check(page, known)
        except (LostError, BusyError) as lost:
            log.warning("left to another machine", source=page.source, url=page.url, error=str(lost))
            done.counts["skipped"] += 1
            return None, ()
        except StorageError:
            raise  # the disk or the database: no check can be saved, so none is worth making
        except Exception:  # one turn of the loop: a bug met by one page must not stop the watch
            log.exception("check failed", source=page.source, url=page.url)
            outcome, change = await self._broken(page), None
        done.counts[outcome.result] += 1
        if change is not None:
            if change.baseline:
                done.baselines += 1
            else:
                done.changes.append(change)
        if outcome.failure is not None:
            done.failures.append((outcome.page, outcome.failure))
        self._log.info(
            "checked",
            source=page.source,
            url=page.url,
            result=outcome.result,
            error=outcome.failure.error if outcome.failure else None,
            ms=round(1000 * outcome.fetch.elapsed) if outcome.fetch else None,
        )
        found = await self._next_of(page, outcome)
        return outcome, found

    async def _broken(self, page: Page) -> Outcome:
        """A check that met a bug of ours is on record as a failure and backs off like one."""
        why = Failure("wrong_document", "internal error: the log has it")
        known = await self.read(self.store.load, page.id)
        outcome = assess.failed(known, Fetch(page.url, self.now()), why)
        source = self._sources[page.source]
        outcome = replace(outcome, next_due=self._due(source, known, outcome))
        await self.database(self._save, source, known, outcome, None)
        return outcome

    async def _next_of(self, page: Page, outcome: Outcome) -> Sequence[Page]:
        """Documents that a list just named, to be read in the same pass."""
        source = self._sources.get(page.source)
        if source is None or outcome.failure is not None:
            return ()
        if not outcome.found and not outcome.following:
            return ()
        unread = await self.read(self.store.unread_pages, page.source)
        return [p for p in unread if p.id not in self._running]

    # ------------------------------------------------------------------ one page

    async def _check(self, page: Page, known: Known) -> tuple[Outcome, Change | None]:
        """Fetch, assess, save. `known` is a glance. Returns the outcome and the change as stored, with its ids."""
        source = self._sources.get(page.source)
        if source is None:
            return Outcome(page, self.now(), "skipped"), None
        if page.role == "attachment":  # its page, read a moment ago in this pass, may have given it another address
            known = (await self.read(self.store.glance, [page.id]))[page.id]
        if page.role == "entry" and source.kind != "page":
            outcome = await self._check_list(source, known)
        else:
            outcome = await self._with_attachments(source, await self._check_document(source, known))
        outcome = replace(outcome, next_due=self._due(source, known, outcome))
        confirmed = _confirmed(source, known, outcome)
        if _may_wait(outcome, known) and not confirmed and source.key in self._past_first:
            self._unsaved[page.id] = _counted_only(outcome)
            return outcome, None
        saved: list[Change] = []

        def owed(change: Change) -> Sequence[Alert]:
            saved.append(change)
            text = outcome.document.text if outcome.document else ""
            return rules.match(
                change, source, self.config.subscriptions, now=outcome.at, place=outcome.record.place, text=text
            )

        await self.database(self._save, source, known, outcome, owed, confirmed=confirmed)
        return outcome, saved[0] if saved else None

    async def _learn(self) -> None:
        """What the pages of a pass teach about their sites. Only noise is learned: no change waits for it."""
        fresh, self._fresh = self._fresh, {}
        for pages in classes(fresh.values()):
            try:
                learned = await self.database(self.learning.after, pages, self._sources, self.now())
            except StorageError:
                raise
            except Exception:  # one turn of the loop: what a site does not teach must not end a pass
                log.exception("learning failed", url=pages[0].url)
                continue
            for rule in learned:
                log.info("noise learned", host=rule.host, rule=rule.id, kind=rule.kind, example=rule.example[:80])

    def _save(
        self, source: Source, known: Known, outcome: Outcome, owed: Alerting | None, *, confirmed: bool = False
    ) -> None:
        """On the database thread, so that nothing comes between looking for a running spell of trouble and saving."""
        outcome = self.learning.as_copy(outcome, source)
        beside = self._health(source, known, outcome)
        if confirmed and known.last is not None:
            beside += rules.confirm(self.store.told(known.last.id), now=outcome.at)
        lease = self._leases.get(outcome.page.id)
        finishes = outcome.failure is None and source.key not in self._past_first
        self.store.save(outcome, owed, health=beside, lease=lease, finishes=finishes)
        self._leases.pop(outcome.page.id, None)
        if outcome.result in ("new", "changed"):
            self._fresh[outcome.page.id] = outcome.page
        # a later one may have been compared over its head
        if outcome.result == "new" and outcome.record.complete and outcome.record.year is not None:
            self.store.recompare(outcome.page.id, partial(assess.recompared, self.vocabulary))

    async def _save_unchanged(self) -> None:
        """Save the unchanged checks that wait for it; only then may their pages be checked again."""
        batch, self._unsaved, self._saved = self._unsaved, {}, asyncio.get_running_loop().time()
        try:
            if batch:
                held = {page: lease for page in batch if (lease := self._leases.get(page))}
                lost = await self.database(self.store.save_unchanged, list(batch.values()), held)
                for page in held:
                    self._leases.pop(page, None)
                if lost:
                    log.warning("leases lost", pages=len(lost))
        finally:
            self._running -= batch.keys()

    async def _check_document(self, source: Source, known: Known) -> Outcome:
        rules_now = self.learning.mark(source, known.page)
        behind = _read_otherwise(known, rules_now)
        fetch = await self.fetcher.fetch(source, _asking(known.page, whole=behind), self.now())
        if fetch.not_modified:
            return await self._by_todays_rules(source, known, assess.not_modified(known, fetch))
        if not behind and _same_bytes(fetch, known.page):
            same = replace(assess.not_modified(known, fetch), result="unchanged")
            return await self._by_todays_rules(source, known, same)
        read = self._reader(source, known.page)
        reading = await parts.whole(self.fetcher, source, known.page, await read(fetch), read, self.now)
        if assess.passed_over(reading, known.page, source):
            return assess.left(known, fetch)
        if assess.unchanged(reading, known) and not _damaged(reading):
            outcome = assess.conclude(reading, known, source, self.vocabulary)
            if outcome.page.rules == rules_now:
                return outcome
            return replace(outcome, page=replace(outcome.page, rules=rules_now))
        if not _unseen(known.page):
            known = await self.read(self.store.load, known.page.id)
        again = Again(known, None)
        if reading.failure is None and known.last is not None:
            body = await self.read(self.store.body, known.last.id)
            again = await self._assess(len(body or b""), self.learning.again, known, body, source)
            if body is not None and known.last.document.file is not None:
                work = partial(files.again, known, body, source, self.vocabulary.text)
                again = Again(await asyncio.get_running_loop().run_in_executor(self._readers, work), None)
        releases: Sequence[Release] = ()
        if reading.failure is None and known.last is None and source.region:
            releases = await self.read(self.store.releases, known.page.id)
        size = len(reading.fetch.body)
        outcome = await self._assess(size, assess.conclude, reading, again.known, source, self.vocabulary, releases)
        if reading.failure is not None:
            return outcome
        return replace(outcome, page=replace(outcome.page, rules=rules_now), reread=again.reread)

    async def _by_todays_rules(self, source: Source, known: Known, outcome: Outcome) -> Outcome:
        """A page that stayed the same is shown as another selector, better rules or learned noise have it."""
        rules_now = self.learning.mark(source, known.page)
        if known.page.version is None or known.page.rules == rules_now:
            return outcome
        known = await self.read(self.store.load, known.page.id)
        body = await self.read(self.store.body, known.last.id) if known.last is not None else None
        again = await self._assess(len(body or b""), self.learning.again, known, body, source)
        return replace(outcome, page=replace(outcome.page, rules=rules_now), reread=again.reread)

    def _reader(self, source: Source, page: Page) -> Callable[[Fetch], Awaitable[Reading]]:
        """What judges and reads one answer, away from the event loop."""
        learned = self.learning.of(page.url)

        async def read(fetch: Fetch) -> Reading:
            at_work = self._readers if files.is_file(fetch.body) else self._assessor(len(fetch.body))
            work = partial(files.read, fetch, source, page, self.vocabulary.text, learned)
            return await asyncio.get_running_loop().run_in_executor(at_work, work)

        return read

    async def _with_attachments(self, source: Source, outcome: Outcome) -> Outcome:
        """Attachments are looked up only where a page names others than last time."""
        page, document = outcome.page, outcome.document
        if document is None or outcome.failure is not None or page.role == "attachment":
            return outcome
        named = attached.wanted(source, document)
        if attached.mark(named) == page.attached or not (named or page.attached):
            return outcome
        known = await self.read(self.store.attachments, page.id)
        return replace(outcome, following=attached.follow(source, named, known))

    async def _check_list(self, source: Source, known: Known) -> Outcome:
        """A list, its further pages and sheets are read as one: what they name together is what was found."""
        page = known.page
        walked = await lists.walk(self.fetcher, source, page, self._reader(source, page), self.now)
        for warning in walked.warnings:
            log.warning("list", source=source.key, warning=warning)
        if walked.trouble is not None:
            outcome = assess.failed(await self.read(self.store.load, page.id), *walked.trouble)
        else:
            fetch = walked.first.fetch if walked.first else Fetch(page.url, self.now())
            outcome = assess.read_list(known, fetch, walked.first)
        return replace(outcome, found=tuple(walked.documents.values()))

    # ------------------------------------------------------------------ what follows from an outcome

    def _due(self, source: Source, known: Known, outcome: Outcome) -> datetime | None:
        """When to read the page again; soon after an edit or a disappearance, to say when it was made."""
        if outcome.result == "skipped":
            return None
        page = outcome.page
        edited = outcome.result == "changed" or known.edited
        event_at = page.gone_since or (page.last_change if edited else None)
        return schedule.next_due(
            source,
            page,
            outcome.at,
            failure=outcome.failure,
            consecutive=max(1, page.consecutive),
            event_at=event_at,
        )

    def _health(self, source: Source, known: Known, outcome: Outcome) -> list[Alert]:
        """One message when a source begins to fail (a page for the third time), one when all its pages are well again.

        A document that was taken down is not its source's trouble: `removed` tells of it.
        """
        word, why, page = None, outcome.failure, outcome.page
        if why is not None and page.consecutive == FAILING_AFTER:
            word = "source.blocked" if outcome.result == "blocked" else "source.failing"
            word = "source.moved" if why.error == "moved" else word
        elif why is None and known.page.consecutive >= FAILING_AFTER and known.page.failure is not None:
            word, why, page = "source.recovered", known.page.failure, known.page
        elif page.moved_times == assess.MOVED_CHECKS > known.page.moved_times and page.role == "entry":
            why = Failure("moved", f"permanently redirected to {page.moved_to}; give that as url:")
            return self._told("source.moved", page, why, source, outcome.at)
        if word is None or why is None or page.role == "attachment":
            return []
        if page.role == "document" and why.error in GONE_WORDS:
            return []
        if self.store.others_failing(page.id, FAILING_AFTER):  # told already, or not yet over
            return []
        return self._told(word, page, why, source, outcome.at)

    def _told(self, word: str, page: Page, why: Failure, source: Source, at: datetime) -> list[Alert]:
        return rules.match_health(word, wire.failure(page, why), source, self.config.subscriptions, now=at)


def _noted(written: asyncio.Future[None]) -> None:
    if not written.cancelled() and (wrong := written.exception()) is not None:
        log.warning("not kept", error=str(wrong))


def page_host(url: str) -> str:
    """The host whose patience a check costs. A broken address is a host of its own."""
    try:
        return host_key(url)
    except httpx.InvalidURL:
        return url


def _confirmed(source: Source, known: Known, outcome: Outcome) -> bool:
    """Whether this check, the last of the re-checks after an edit, found the page as the edit left it."""
    page = known.page
    if not known.edited or outcome.result not in ("unchanged", "not_modified"):
        return False
    if page.last_change is None or page.last_good is None:
        return False
    return schedule.confirmed(source, page.last_change, page.last_good, outcome.at)


def _may_wait(outcome: Outcome, known: Known) -> bool:
    """Whether a check only has to be counted: nothing found, nothing failed or mended, and not the page's first."""
    return (
        outcome.result in ("unchanged", "not_modified")
        and known.page.last_checked is not None
        and known.page.failure is None
        and outcome.failure is None
        and outcome.change is None
        and outcome.reread is None
        and outcome.page.moved_times == known.page.moved_times
        and not outcome.found
        and outcome.following is None
    )


def _unseen(page: Page) -> bool:
    """Whether nothing is known of a page but its address: then a glance is its whole past."""
    return page.version is None and page.gone_since is None and page.role != "attachment"


def _counted_only(outcome: Outcome) -> Outcome:
    """What has to be saved of an unchanged check: nothing of a large page waits for that."""
    if outcome.fetch is None or len(outcome.fetch.body) <= IN_MEMORY:
        return outcome
    return replace(outcome, fetch=replace(outcome.fetch, body=b""), document=None)


def _damaged(reading: Reading) -> bool:
    return reading.decoded is not None and bool(reading.decoded.replacements)


def _asking(page: Page, *, whole: bool = False) -> Page:
    """A failing page is asked for whole: a 304 would only say that the broken answer is still the same."""
    return replace(page, etag=None, last_modified=None) if whole or page.failure is not None else page


def _read_otherwise(known: Known, rules_now: str) -> bool:
    """Whether other rules may find text in the last answer that those of its time left out, and that was not kept."""
    last = known.last
    return last is not None and known.page.rules != rules_now and last.raw_sha256 != known.page.raw_sha256


def _same_bytes(fetch: Fetch, page: Page) -> bool:
    return (
        fetch.failure is None
        and fetch.status == 200
        and page.failure is None
        and page.version is not None
        and not page.removed
        and page.raw_sha256 == hashlib.sha256(fetch.body).hexdigest()
    )
