"""The bundled site serves what its story says, round by round, over real HTTP."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import httpx
import pytest

from monitor.config import vocabulary
from monitor.demo import story
from monitor.demo.background import running
from monitor.demo.site import Site, demo_sources, first_number
from monitor.model import Document, Source, SourceKind
from monitor.sources.kinds import KINDS
from monitor.text.clean import clean
from monitor.text.decode import decode

DAY = date(2026, 2, 3)


@pytest.fixture
def site() -> Iterator[Site]:
    site = Site(DAY, seed=1)
    with running(site.government, site.newspaper):
        yield site


def get(url: str) -> httpx.Response:
    with httpx.Client(trust_env=False) as client:
        return client.get(url)


def shown(html: str) -> str:
    """Text of a page without its tags: enough to look for a sentence."""
    return re.sub(r"<[^>]+>|\s", "", html)


def decoded(answer: httpx.Response, article: story.Article) -> str:
    return answer.content.decode(article.encoding)


def test_the_old_report_is_gb18030_that_only_the_page_declares_and_wrongly(site: Site) -> None:
    answer = get(site.url(story.REPORT_2025))
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html"
    html = answer.content.decode("gb18030")
    assert "charset=gb2312" in html
    assert "沈　翀" in html  # 翀 is in GBK and not in GB2312
    with pytest.raises(UnicodeDecodeError):
        answer.content.decode("gb2312")
    with pytest.raises(UnicodeDecodeError):
        answer.content.decode("utf-8")


def test_the_new_report_is_utf8_of_another_platform_and_appears_in_round_2(site: Site) -> None:
    url = site.url(story.REPORT_2026)
    assert get(url).status_code == 404
    site.advance(story.NEW_REPORT, DAY)
    answer = get(url)
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert 'id="zoom"' in answer.content.decode("utf-8")


@pytest.mark.parametrize("article", [story.REPORT_2025, story.REPORT_2026], ids=lambda a: a.name)
def test_every_paragraph_is_served_and_the_surroundings_differ_at_every_request(
    site: Site, article: story.Article
) -> None:
    site.advance(story.NEW_REPORT, DAY)
    first, second = (decoded(get(site.url(article)), article) for _ in range(2))
    assert first != second
    for line in article.heading + article.paragraphs:
        assert re.sub(r"\s", "", line) in shown(first)
        assert re.sub(r"\s", "", line) in shown(second)


@pytest.mark.parametrize("article", [*story.GOVERNMENT, story.TARGETS_STORY, *story.DAILY], ids=lambda a: a.name)
def test_the_product_reads_the_text_and_nothing_of_the_surroundings(site: Site, article: story.Article) -> None:
    site.advance(story.NEWSPAPER, DAY)
    url = site.url(article) if article.path else site.paper_url(article)
    for _ in range(2):
        answer = get(url)
        page = decode(answer.content, answer.headers["content-type"])
        document = clean(page.text, url, vocabulary().text)
        assert (page.encoding, page.replacements) == (article.encoding, 0)
        assert document.title == article.title
        expected = [re.sub(r"\s", "", line) for line in shown_at(article)]
        assert [re.sub(r"\s", "", line) for line in document.paragraphs] == expected


def shown_at(article: story.Article) -> tuple[str, ...]:
    article = story.at_round(article, story.NEWSPAPER)
    return article.heading + article.paragraphs


def test_the_product_finds_the_articles_of_the_list_and_of_the_issue(site: Site) -> None:
    site.advance(story.NEWSPAPER, DAY)
    now = datetime(2026, 2, 3, 4, tzinfo=UTC)

    def titles(kind: SourceKind, url: str) -> list[str]:
        answer = get(url)
        html = decode(answer.content, answer.headers["content-type"]).text
        found = KINDS[kind].find(Source("k", url, kind=kind), url, html, Document(), now)
        return [link.text for link in found.documents] or list(found.entries)

    assert titles("listing", site.list_url) == [a.title for a in story.GOVERNMENT]
    assert titles("epaper", site.newspaper.url + "/") == [site.sheet_url()]
    assert titles("epaper", site.sheet_url()) == [story.TARGETS_STORY.title, *(a.title for a in story.DAILY[:3])]


def test_the_list_names_the_new_report_first_and_also_what_is_no_report(site: Site) -> None:
    def titles() -> list[str]:
        return re.findall(r'title="([^"]+)"', get(site.list_url).content.decode("gb18030"))

    assert titles() == [story.LIBRARY.title, story.REPORT_2025.title, story.LIVELIHOOD.title]
    site.advance(story.NEW_REPORT, DAY)
    assert titles()[0] == story.REPORT_2026.title


def test_the_silent_edit_changes_one_number_and_nothing_else() -> None:
    before = "\n".join(story.at_round(story.REPORT_2026, story.NEW_REPORT).paragraphs)
    after = "\n".join(story.at_round(story.REPORT_2026, story.SILENT_EDIT).paragraphs)
    assert before.count(story.EDIT[0]) == 1
    assert [(a, b) for a, b in zip(before, after, strict=True) if a != b] == [("4", "3")]
    assert story.at_round(story.REPORT_2025, story.SILENT_EDIT) == story.REPORT_2025


def test_the_newspaper_quotes_another_number_than_the_report(site: Site) -> None:
    assert "固定资产投资增长5%左右" in "".join(story.REPORT_2026.paragraphs)
    sheet, article = site.sheet_url(), site.paper_url(story.TARGETS_STORY)
    assert story.TARGETS_STORY.title not in get(sheet).text
    assert get(article).status_code == 404
    site.advance(story.NEWSPAPER, DAY)
    assert article.rpartition("/")[2] in get(sheet).text
    assert "固定资产投资增长6%左右" in get(article).text
    assert "<date>2026-02-03" in get(article).text


def test_the_newspapers_home_leads_to_todays_issue_and_other_days_are_missing(site: Site) -> None:
    home = get(site.newspaper.url + "/").text
    target = re.search(r"url=([^\"]+)", home)
    assert target is not None
    assert f"{site.newspaper.url}/{target[1]}" == site.sheet_url()
    assert get(site.sheet_url().replace("/03/", "/02/")).status_code == 404


def test_yesterdays_article_stays_and_is_not_printed_again(site: Site) -> None:
    site.advance(story.NEWSPAPER, DAY)
    article = site.paper_url(story.TARGETS_STORY)
    site.advance(story.RECOVERY, DAY + timedelta(days=1))
    assert get(article).status_code == 200
    assert get(site.paper_url(story.TARGETS_STORY)).status_code == 404
    assert story.TARGETS_STORY.title not in get(site.sheet_url()).text


def test_an_outage_and_a_challenge_hide_every_page_but_robots_txt(site: Site) -> None:
    site.advance(story.OUTAGE, DAY)
    refused = get(site.url(story.REPORT_2025))
    assert refused.status_code == 503
    assert "retry-after" not in refused.headers
    asked = get(site.sheet_url())
    assert asked.status_code == 412
    assert "$_ts" in asked.text
    for host in (site.government, site.newspaper):
        assert get(host.url + "/robots.txt").status_code == 200


def test_after_the_outage_the_texts_are_those_from_before(site: Site) -> None:
    assert [story.at_round(a, story.RECOVERY) for a in story.GOVERNMENT] == [
        story.at_round(a, story.NEWSPAPER) for a in story.GOVERNMENT
    ]
    site.advance(story.RECOVERY, DAY)
    assert get(site.url(story.REPORT_2026)).status_code == 200
    assert get(site.sheet_url()).status_code == 200


def test_both_hosts_are_gone_when_the_block_ends() -> None:
    site = Site(DAY)
    with running(site.government, site.newspaper):
        assert get(site.list_url).status_code == 200
        places = [(h.host, h.port) for h in (site.government, site.newspaper)]
    for place in places:
        with socket.socket() as probe:
            assert probe.connect_ex(place) != 0


def test_the_digits_of_a_first_number_are_set_apart() -> None:
    assert first_number("到2025年增长6%") == ("到", "2025", "年增长6%")
    assert first_number("没有数字") == ("没有数字", "", "")


def test_the_watch_list_is_filled_in(site: Site) -> None:
    text = demo_sources(site, hook="http://127.0.0.1:1/hook", lang="en")
    assert site.list_url in text
    assert "$" not in text
