"""The columns of a site that are worth watching (reports, plans, statistics, policy): a short walk from its front."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from selectolax.lexbor import LexborHTMLParser

from monitor import assess
from monitor.errors import UsageError
from monitor.fetch.client import Fetcher
from monitor.model import Config, Document, Page, Vocabulary
from monitor.proposal.entry import Proposal, propose, web_address
from monitor.sources import addresses, links
from monitor.text.decode import decode

MOST_LOOKED = 30  # pages of the site that are looked at, whatever it holds
LONGEST = 16  # characters of a column's name; titles of documents are longer

# what columns are called, best first; the last leads to others
_WORDS: tuple[tuple[int, re.Pattern[str]], ...] = (
    (9, re.compile("政府工作报告|工作报告")),
    (
        8,
        re.compile(
            "国民经济|发展计划|发展规划|规划计划|计划规划|规划纲要|计划总结|规划信息|年度计划|重点工作|民生实事"
        ),
    ),
    (7, re.compile("统计公报|统计数据|统计信息|数据发布|经济运行|统计")),
    (5, re.compile("政策文件|规范性文件|政府文件|公文|行政规范")),
    (4, re.compile("预算|决算|财政资金|公报")),
    (3, re.compile("通知公告|公告公示|公示公告|人大|两会")),
    (1, re.compile("政务公开|政府信息公开|信息公开|法定主动公开|主动公开|数字报|电子报")),
)


@dataclass(slots=True)
class Discovered:
    """Proposals, best first, and what was looked at in vain."""

    proposals: list[Proposal] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    looked: int = 0


async def discover(
    url: str,
    config: Config,
    vocabulary: Vocabulary,
    fetcher: Fetcher,
    *,
    most: int = 10,
    tell: Callable[[str], None] = lambda line: None,
) -> Discovered:
    """Walk from a front page to the columns it names, at most MOST_LOOKED pages, until `most` entries are found.

    Raises UsageError when the front page cannot be read. `tell` hears each address before it is asked for.
    """
    url, done = web_address(url), Discovered()
    todo = await _columns_at(url, config, vocabulary, fetcher)
    watched = {s.url for s in config.sources}
    seen = {url, *(address for _, address, _ in todo)}
    while todo and done.looked < MOST_LOOKED and len(done.proposals) < most:
        weight, address, name = todo.pop(0)
        if address in watched:
            continue
        tell(f"{name} {address}")
        done.looked += 1
        taken = {s.key for s in config.sources} | {p.entry["key"] for p in done.proposals}
        try:
            found = await propose(address, _with_keys(config, taken), vocabulary, {}, fetcher)
            if found.entry["kind"] != "page" and (found.documents or found.others) and weight > 1:
                done.proposals.append(found)
                continue
        except UsageError as wrong:
            done.warnings.append(str(wrong))
        try:  # no list: it may lead on to some
            more = [c for c in await _columns_at(address, config, vocabulary, fetcher) if c[1] not in seen and c[0] > 1]
        except UsageError:
            continue  # said above, or a page that is read but has no place here
        seen.update(c[1] for c in more)
        todo = sorted([*todo, *more], key=lambda c: -c[0])
    return done


def _with_keys(config: Config, taken: set[str]) -> Config:
    """The configuration as if these keys were in it, so that each proposal gets one of its own."""
    return replace(config, sources=tuple(replace(config.defaults, key=key, url="") for key in sorted(taken)))


async def _columns_at(url: str, config: Config, vocabulary: Vocabulary, fetcher: Fetcher) -> list[tuple[int, str, str]]:
    """(weight, address, name) of the columns that a page links to, best first."""
    now = datetime.now(UTC)
    source = replace(config.defaults, key="new", url=url, kind="page", selector=None)
    fetch = await fetcher.fetch(source, Page(id=0, source="new", url=url, found_at=now), now)
    why = fetch.failure or assess.judged(fetch, vocabulary.text)
    if why is not None:
        raise UsageError(f"{url}: {why.error}: {why.detail}")
    tree = links.tree(decode(fetch.body, fetch.content_type).text, Document())
    found: dict[str, tuple[int, str, str]] = {}
    for weight, address, name in _named(tree, fetch.final_url or url) if tree is not None else ():
        if address not in found or found[address][0] < weight:
            found[address] = (weight, address, name)
    return sorted(found.values(), key=lambda column: -column[0])


def _named(tree: LexborHTMLParser, url: str) -> Iterator[tuple[int, str, str]]:
    for anchor in links.anchors(tree, url):
        name = anchor.title
        if not 2 <= len(name) <= LONGEST or anchor.url == url or re.search(r"(?:19|20)\d{2}", name):
            continue  # a title with a year is a document
        weight = next((weight for weight, words in _WORDS if words.search(name)), 0)
        if weight and not (addresses.is_article(anchor.url) and len(name) > 8):
            yield weight, anchor.url, name
