"""Learning noise from what is kept, after a pass, and reading again what the rules then say differently.

    learning = Learning(store, vocabulary)
    learning.of(url)                      the active rules of its host
    learning.after(pages, sources, now)   what changed pages of one host teach; blocks, on the database's thread

Nothing here makes a change or an alert.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from monitor import assess, readings
from monitor.model import Known, Noise, Outcome, Page, Rereading, Source, Version, Vocabulary
from monitor.text import learn
from monitor.text.noise import NOTHING, Learned
from storage.learned import SAMPLE, Seen
from storage.rows import host_of
from storage.store import Store

PAGES_AT_ONCE = 40  # changed pages of one host that teach in one pass …
PAGES_IN_ALL = 200  # … and of all hosts: reading versions again takes time, and who changes always comes again
MORE = 1.5  # times as many pages as last time before a host is looked at as a whole again


@dataclass(frozen=True, slots=True)
class Again:
    """A page's last version by today's rules: `known` to compare with, `reread` to keep where it differs."""

    known: Known
    reread: Rereading | None


def classes(pages: Iterable[Page]) -> list[list[Page]]:
    """The pages that teach after a pass, one list for each host."""
    by_host: dict[str, list[Page]] = {}
    left = PAGES_IN_ALL
    for page in pages:
        of_host = by_host.setdefault(host_of(page.url), [])
        if left and len(of_host) < PAGES_AT_ONCE:
            of_host.append(page)
            left -= 1
    return [taught for taught in by_host.values() if taught]


class Learning:
    """The rules learned from sites, and how more are learned. Belongs to one checker."""

    def __init__(self, store: Store, vocabulary: Vocabulary) -> None:
        self.store, self.vocabulary = store, vocabulary
        self._general = readings.rules_mark(vocabulary.text)
        self._hosts: dict[str, Learned] = {}
        self._stamp: str | None = None
        self._refreshing = threading.Lock()  # asked by threads that read and by the one that writes

    def refresh(self) -> None:
        """Take over what is on record, where it differs from what is known here."""
        with self._refreshing:
            stamp = self.store.noise_stamp()
            if stamp == self._stamp:
                return
            by_host: dict[str, list[Noise]] = {}
            for rule in self.store.noise():
                by_host.setdefault(rule.host, []).append(rule)
            self._hosts, self._stamp = {host: Learned(rules) for host, rules in by_host.items()}, stamp

    def of(self, url: str) -> Learned:
        """The active rules of an address's host."""
        return self._hosts.get(host_of(url), NOTHING) if self._hosts else NOTHING

    def mark(self, source: Source, page: Page) -> str:
        """What `Page.rules` is once the page was read by today's rules."""
        return readings.mark(source, page.url, self._general, self.of(page.url))

    # ------------------------------------------------------------------ reading again

    def again(self, known: Known, body: bytes | None, source: Source) -> Again:
        """The last version as it is read today. Pure, apart from what was taken over."""
        if known.last is None or body is None:
            return Again(known, None)
        now = assess.reread(known, body, source, self.vocabulary.text, self.of(known.page.url))
        assert now.last is not None
        return Again(now, readings.rereading(known.last, now.last, source, self.vocabulary))

    def read_again(self, source: Source, at: datetime) -> int:
        """Every page of a source by today's rules, now; returns how many are shown differently from then on."""
        self.refresh()
        differ = 0
        for page in self.store.pages([source.key]):
            if page.version is None or page.rules == self.mark(source, page):
                continue
            known = self.store.load(page.id)
            found = self.again(known, self.store.body(page.version), source)
            kept_all = known.last is not None and known.last.raw_sha256 == page.raw_sha256
            mark = self.mark(source, page) if kept_all else None  # else the next check asks for the whole page
            differ += self.store.reread(page.id, found.reread, mark, at)
        return differ

    # ------------------------------------------------------------------ copies

    def as_copy(self, outcome: Outcome, source: Source, regions: Mapping[str, str | None] | None = None) -> Outcome:
        """The outcome of a new document that repeats an earlier one says so.

        `regions`: by key of a source, where those of another place than this source's are no originals.
        """
        if not outcome.marks or outcome.sha256 is None or outcome.document is None:
            return outcome
        if outcome.result == "changed":  # its own past is what it is compared with; it may still be a copy
            last = self.store.load(outcome.page.id).last
            if last is None or last.copy_of is None:
                return outcome
            return readings.as_copy(outcome, [self.store.version(last.copy_of)], source, self.vocabulary)
        originals = self.store.originals(outcome.page.id, outcome.sha256, outcome.marks, len(outcome.document.text))
        if regions is not None:
            here = (None, source.region)
            originals = [v for v in originals if source.region is None or regions.get(v.source) in here]
        return readings.as_copy(outcome, originals, source, self.vocabulary) if originals else outcome

    # ------------------------------------------------------------------ learning

    def after(self, pages: Sequence[Page], sources: Mapping[str, Source], now: datetime) -> list[Noise]:
        """What these pages of one host teach, which got a new version; returns the rules that are new or differ."""
        known = [page for page in pages if page.source in sources]
        fresh = self.store.learn(self._lessons(host_of(pages[0].url), known, sources), now) if known else []
        if fresh:
            self.refresh()
        return fresh

    def _lessons(self, host: str, pages: Sequence[Page], sources: Mapping[str, Source]) -> list[Noise]:
        known = self.store.noise([host])
        again = [page for page in pages if page.version is not None]  # what was read once shows nothing that moves
        own = [rule for page in again for rule in self._of_page(host, page, sources[page.source], known)]
        shapes = [r for r in known if r.kind == "shape" and r.page and r.page not in {p.page for p in own}]
        promoted = learn.promoted(host, [*own, *shapes])
        marks = {r.mark for r in promoted}
        return [*promoted, *(r for r in own if r.mark in marks or learn.sure(r)), *self._of_host(host, sources)]

    def _of_page(self, host: str, page: Page, source: Source, known: Sequence[Noise]) -> list[Noise]:
        window = self.store.window(page.id, learn.CHANGES + 1)
        lessons = [x for seen in window if (x := self._lesson(seen, source)) is not None]
        return learn.volatile(host, lessons, [r for r in known if r.page == page.url])

    def _of_host(self, host: str, sources: Mapping[str, Source]) -> list[Noise]:
        """Looked at anew only when a host has grown by half: what stands on forty pages stands on sixty."""
        count, name = self.store.read_pages(host), f"learned:{host}"
        if count < learn.PAGES or count < MORE * int(self.store.get_meta(name) or 0):
            return []
        self.store.set_meta(name, str(count))
        lessons: dict[str, learn.Reading] = {}
        for seen in self.store.latest(host=host, limit=SAMPLE):
            source = sources.get(seen.version.source)
            if source is not None and seen.version.copy_of is None:
                lesson = self._lesson(seen, source)
                if lesson is not None:
                    lessons.setdefault(seen.version.fingerprint, lesson)
        return learn.shared(host, list(lessons.values()))

    def _lesson(self, seen: Seen, source: Source) -> learn.Reading | None:
        return readings.lesson(seen.version, seen.body, seen.checks, seen.quantities, source, self.vocabulary.text)


def shown(version: Version, learned: Learned, source: Source) -> list[tuple[str, str]]:
    """(id of the rule, line) for everything that the rules would leave out of a version read without them."""
    found = learned.cuts(version.document, version.url, lambda: assess.is_report(version.document, source))
    return [(rule.id, version.document.paragraphs[i]) for i, rule in sorted(found.items())]


def unlearned(version: Version, body: bytes, source: Source, vocabulary: Vocabulary) -> Version:
    """A version as it is read without anything learned."""
    return assess.read_again(version, body, source, vocabulary.text)


def as_if_on(rules: Iterable[Noise]) -> Learned:
    """All of these rules, switched-off ones too."""
    return Learned(replace(rule, state="on") for rule in rules)
