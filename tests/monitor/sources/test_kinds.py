"""What a list page or newspaper sheet names: cases of tests/data/lists.yaml, and the addresses of a day."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import pytest
import yaml

from monitor.config import vocabulary
from monitor.model import SOURCE_KINDS, Document, Fields, Links, Source
from monitor.sources import found, links
from monitor.sources.epaper import is_template, issue_address, issue_day
from monitor.sources.kinds import KINDS, Found
from monitor.text.clean import clean
from monitor.times import duration

NOW = datetime(2024, 2, 7, 4, 0, tzinfo=UTC)
DAY = timedelta(days=1)
DATA = Path(__file__).parents[2] / "data"
LISTS: list[dict[str, Any]] = [
    case
    for name in ("lists", "columns", "feeds", "issues")
    for case in yaml.safe_load((DATA / f"{name}.yaml").read_text("utf-8"))
]


def source_of(case: dict[str, Any]) -> Source:
    given = dict(case.get("source", {}))
    rules = Links(tuple(given.pop("include", ())), tuple(given.pop("exclude", ())))
    if "backfill" in given:
        given["backfill"] = duration(given["backfill"])
    if "fields" in given:
        given["fields"] = Fields(**given["fields"])
    return Source(key="yunling", url=case["url"], kind=case["kind"], links=rules, **given)


@pytest.mark.parametrize("case", LISTS, ids=[case["name"] for case in LISTS])
def test_find(case: dict[str, Any]) -> None:
    at = case.get("at", case["url"])
    found = KINDS[case["kind"]].find(source_of(case), at, case["html"], Document(), NOW)
    wanted = [(urljoin(at, url), title, date and str(date)) for url, title, date in case["documents"]]
    assert [(x.url, x.text, x.date) for x in found.documents] == wanted
    assert list(found.entries) == [urljoin(at, url) for url in case.get("entries", [])]
    assert found.seen == case.get("seen", len(wanted))


def test_every_kind_that_is_there_has_an_entry() -> None:
    assert set(KINDS) == set(SOURCE_KINDS)


def test_a_page_is_its_address_and_leads_nowhere() -> None:
    page = Source(key="a", url="http://a.example/1.html")
    assert KINDS["page"].entries(page, NOW) == ("http://a.example/1.html",)
    html = '<a href="t20240118_1234567.html">云岭区政府工作报告</a>'
    assert KINDS["page"].find(page, page.url, html, Document(), NOW) == Found()


def test_further_list_pages_are_only_looked_for_on_the_first() -> None:
    source = Source(key="a", url="http://www.yunling.gov.cn/zwgk/", kind="listing", pages=5)
    html = '<a href="c01_900101.shtml">云岭区政府工作报告</a><script>createPageHTML(9,2,"index","html")</script>'
    find = KINDS["listing"].find
    assert len(find(source, source.url, html, Document(), NOW).entries) == 4
    assert find(source, source.url + "index_2.html", html, Document(), NOW).entries == ()


def test_backfill_counts_from_the_first_check() -> None:
    case = next(x for x in LISTS if x.get("source", {}).get("backfill"))
    find = KINDS["listing"].find
    late = NOW + 300 * DAY
    assert len(find(source_of(case), case["url"], case["html"], Document(), late, NOW).documents) == 2
    assert len(find(source_of(case), case["url"], case["html"], Document(), late).documents) == 1


@pytest.mark.parametrize(
    ("template", "address"),
    [
        ("http://a.example/layout/{yyyy}{mm}/{dd}/node_01.html", "http://a.example/layout/202402/07/node_01.html"),
        ("http://a.example/html/{yyyy}-{mm}/{dd}/node_2.htm", "http://a.example/html/2024-02/07/node_2.htm"),
        ("http://a.example/{yyyymmdd}/Page01HO.htm", "http://a.example/20240207/Page01HO.htm"),
        ("http://a.example/{YYYY-MM-DD}/01/", "http://a.example/2024-02-07/01/"),
        ("http://a.example/%Y%m/%d/node_01.html", "http://a.example/202402/07/node_01.html"),
    ],
)
def test_the_address_of_an_issue(template: str, address: str) -> None:
    assert is_template(template)
    assert issue_address(template, NOW.date()) == address
    assert issue_day(address) == NOW.date()


def test_percent_encoded_addresses_are_no_templates() -> None:
    assert not is_template("http://a.example/%d6%d0%m/")
    assert issue_address("http://a.example/%d6%d0/", NOW.date()) == "http://a.example/%d6%d0/"


def test_issues_to_read() -> None:
    source = Source(key="a", url="http://a.example/{yyyymmdd}/", kind="epaper", backfill=2 * DAY)
    entries = KINDS["epaper"].entries

    def days(found: tuple[str, ...]) -> list[str]:
        return [url.split("/")[3][4:] for url in found]

    assert days(entries(source, NOW)) == ["0207", "0206", "0205"]  # the first time: the backfill
    assert days(entries(source, NOW, NOW - timedelta(hours=3))) == ["0207"]
    assert days(entries(source, NOW, NOW - DAY)) == ["0207", "0206"]  # what came later that day
    assert len(entries(source, NOW, NOW - 400 * DAY)) == 8  # nobody ran for a year
    assert days(entries(source, NOW, NOW + DAY)) == ["0207"]  # the clock was set back


def test_the_day_of_an_issue_is_that_of_its_place() -> None:
    source = Source(key="a", url="http://a.example/{yyyymmdd}/", kind="epaper")
    assert KINDS["epaper"].entries(source, datetime(2024, 2, 7, 20, tzinfo=UTC)) == ("http://a.example/20240208/",)


def test_a_front_door_is_read_as_it_stands() -> None:
    source = Source(key="a", url="http://a.example/", kind="epaper", backfill=3 * DAY)
    assert KINDS["epaper"].entries(source, NOW) == ("http://a.example/",)


@pytest.mark.parametrize(
    ("url", "date"),
    [
        ("http://a.example/202401/t20240118_1234567.html", "2024-01-18"),
        ("http://a.example/art/2024/3/5/art_1_2.html", "2024-03-05"),
        ("http://a.example/art/2024/13/45/art_1_2.html", None),
        ("http://a.example/2024-02/30/content_1.htm", None),
        ("http://a.example/202401/c01_900018.shtml", None),
        ("http://a.example/t18993630.shtml", None),
        ("http://a.example/content_20991.html", None),
    ],
)
def test_the_day_an_address_names(url: str, date: str | None) -> None:
    assert links.address_date(url) == date


@pytest.mark.parametrize(
    "html", ["", "<", "<a href=", "\x00" * 50, "<ul>" * 20000 + "<a href='t20240118_1234567.html'>报告报告"]
)
@pytest.mark.parametrize("kind", ["listing", "epaper"])
def test_broken_pages_break_nothing(kind: str, html: str) -> None:
    source = Source(key="a", url="http://www.yunling.gov.cn/zwgk/", kind=kind, pages=3)  # type: ignore[arg-type]
    KINDS[source.kind].find(source, source.url, html, Document(), NOW)


def test_one_list_page_names_only_so_many_documents() -> None:
    source = Source(key="a", url="http://www.yunling.gov.cn/zwgk/", kind="listing")
    item = "<li><a href='t20240118_{}.html'>云岭区第{}号文件</a><span>2024-01-18</span></li>"
    html = f"<ul>{''.join(item.format(1_000_000 + n, n) for n in range(found.MOST + 10))}</ul>"
    got = KINDS["listing"].find(source, source.url, html, Document(), NOW)
    assert (len(got.documents), got.seen) == (found.MOST, found.MOST + 10)
    assert got.documents[0].text == "云岭区第0号文件"
    assert "list cut" in got.warnings[0]
    few = found.found(got.documents[:3], (), seen=3)
    assert (len(few.documents), few.warnings) == (3, ())


def test_links_are_looked_at_up_to_a_bound() -> None:
    html = "<ul>" + "<li><a href='t20240118_1234567.html'>云岭区文件</a>" * 100_000
    source = Source(key="a", url="http://www.yunling.gov.cn/zwgk/", kind="listing")
    page = links.tree(html, Document())
    assert page is not None
    assert len(list(links.anchors(page, source.url))) == links.ANCHORS


def test_titles_and_addresses_of_links_are_bounded() -> None:
    source = Source(key="a", url="http://www.yunling.gov.cn/zwgk/", kind="listing")
    html = f"""<li><a href="t20240118_1234567.html">{"云岭区报告" * 20_000}</a></li>
    <li><a href="t20240118_1234568.html?{"a" * 20_000}">云岭区政府工作报告</a></li>"""
    (one,) = KINDS["listing"].find(source, source.url, html, Document(), NOW).documents
    assert len(one.text) == links.TITLE


@pytest.mark.parametrize("kind", ["listing", "epaper"])
def test_a_page_that_its_reader_refused_to_parse_is_not_parsed_for_links(kind: str) -> None:
    refused = clean("<ul>" * 100_000, "http://www.yunling.gov.cn/zwgk/", vocabulary().text)
    html = '<a href="/content_20991.html">云岭区政府工作报告</a>'
    source = Source(key="a", url="http://www.yunling.gov.cn/zwgk/", kind=kind)  # type: ignore[arg-type]
    assert KINDS[source.kind].find(source, source.url, html, refused, NOW) == Found()
    assert KINDS[source.kind].find(source, source.url, html, Document(), NOW).documents
