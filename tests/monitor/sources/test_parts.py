"""Which links lead to further pages of the same article, and how its pages become one document."""

from __future__ import annotations

import pytest

from monitor.model import Attachment, Document
from monitor.sources import parts

URL = "http://www.yunling.gov.cn/zwgk/202401/t20240118_123456.html"


def pager(*links: tuple[str, str]) -> str:
    return "".join(f'<a href="t20240118_{name}">{label}</a>' for name, label in links)


@pytest.mark.parametrize(
    ("html", "pages"),
    [
        (
            pager(("123456.html", "1"), ("123456_1.html", "2"), ("123456_2.html", "3"), ("123456_1.html", "下一页")),
            [1, 2],
        ),
        ('<script>createPageHTML(3, 0, "t20240118_123456", "html");</script>', [1, 2]),
        ('<script>createPageHTML(3, 0, "index", "html");</script>' + pager(("123457.html", "下一页")), []),
        (pager(("123457.html", "下一篇"), ("123456_1.html", "相关报道下一页的事")), []),
        (pager(("123456_1.html", "上一页")) + "下一页", []),
        ('<a href="http://other.example/zwgk/202401/t20240118_123456_1.html">下一页</a>', []),
        (pager(("123456_1.html#top", "余下全文")), [1]),
        (pager(("123456_2.htm", "下一页")), []),
        (pager(("123456_1.html", "2")), []),  # nothing says that these are pages
    ],
)
def test_the_pages_an_article_names(html: str, pages: list[int]) -> None:
    assert list(parts.following(URL, html)) == [URL.replace(".html", f"_{page}.html") for page in pages]


def test_a_later_page_names_those_behind_it() -> None:
    html = pager(("123456.html", "1"), ("123456_1.html", "2"), ("123456_2.html", "3"), ("123456_2.html", "下一页"))
    assert list(parts.following(URL.replace(".html", "_1.html"), html)) == [URL.replace(".html", "_2.html")]


def test_pages_by_a_number_in_the_query() -> None:
    html = '<a href="?id=7&page=2">下一页</a><a href="?id=8">下一页</a><a href="?id=7&page=3">尾页</a>'
    found = parts.following("http://a.example/show.php?id=7", html)
    assert list(found) == ["http://a.example/show.php?id=7&page=2", "http://a.example/show.php?id=7&page=3"]


def test_one_article_has_only_so_many_pages() -> None:
    links = "".join(f'<a href="t20240118_123456_{n}.html">{n}</a>' for n in range(2, 99))
    assert len(parts.following(URL, links + "下一页")) == parts.MOST - 1


def test_joining_leaves_out_repeated_pages_and_titles() -> None:
    file = Attachment("http://a.example/1.pdf", "附件", "pdf")
    pages = [
        Document(title="报告", paragraphs=("甲。", "乙。")),
        Document(title="报告", paragraphs=("甲。", "乙。"), attachments=(file,)),
        Document(title="报告（2）", paragraphs=("报告", "丙。")),
    ]
    whole = parts.joined(pages)
    assert (whole.paragraphs, whole.attachments, whole.parts) == (("甲。", "乙。", "丙。"), (file,), 3)


def test_bodies_come_apart_as_they_were_put_together() -> None:
    bodies = [
        ("http://a.example/1.html", "甲".encode("gbk")),
        ("http://a.example/2.html", b""),
        ("http://a.example/3", b"x\n"),
    ]
    assert parts.unpack("http://a.example/1.html", parts.pack(bodies)) == bodies
