"""Whether a short page says of itself that it is not the page: a firewall, a log-in, maintenance, nothing there.

The same words stand in articles about firewalls and maintenance, so the words alone decide nothing. What counts is
what else a page says: a notice has next to nothing beside itself and its polite company (noise.yaml, `notice`); an
article goes on. What is quoted is not said by the page. The words are in noise.yaml, `signs`.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from monitor.model import Document, TextRules
from monitor.text import dates

REST = 40  # characters beside the notice and its company from which a page may be about something else …
FEW = 160  # characters that a word to the visitor has at most
NAME = 8  # characters of a title that names something; shorter ones are 错误, 提示, 信息
WORDS = (
    "blocked_challenge",
    "blocked_waf",
    "http_403",
    "http_5xx",
    "soft_404",
    "maintenance",
    "login",
)  # in this order
_AROUND = 30  # characters shown on each side of what was found

_QUOTED = re.compile("“[^“”]{0,200}”|「[^」]{0,200}」|『[^』]{0,200}』|《[^》]{0,200}》|【[^】]{0,200}】")
_SENTENCE = re.compile(r"[^。！？!?；;\n]+[。！？!?；;]?")
_PASSWORD = re.compile(r"<input\b[^<>]{0,300}type\s*=\s*[\"']?password", re.IGNORECASE)
_HEADING = re.compile(r"<h[1-4]\b", re.IGNORECASE)
_VISITOR = re.compile(
    "[您你]|抱歉|对不起|出错|错误|"
    "(?:该|此|本|当前|这个?|(?:访问|请求|查看|浏览|查询)的)(?:网|公开)?(?:页|站|栏目|频道|稿件?|文章|信息|内容|链接|地址|功能|系统|服务)|"
    "请(?:稍|过(?:段|会|一)|重新|返回|检查|刷新|点击|勿|不要|耐心|从|改|换|联系)|"
    "\\b(?:you|your|sorry|error|please|exception)\\b",
    re.IGNORECASE,
)
# A document of an authority is named after what it is about, and says which kind of document it is
_OFFICIAL = re.compile(
    "关于.{2,60}(?:通知|公告|通告|公示|决定|决议|意见|批复|函|答复|说明|通报|报告|方案|办法|规定|细则|名单|情况)(?:$|[\\W_])"
)
_READER = re.compile(
    "[您你请]|抱歉|对不起|oops|that page|本(?:网)?站|(?:该|此)(?:网站|页面|信息|内容|文章)|我们|管理员|"
    "\\b(?:you|your|we|our|us|sorry|please|this (?:site|website|page|server))\\b",
    re.IGNORECASE,
)
_ASKED = re.compile(
    "[您你]|抱歉|对不起|(?:该|此|这个?|(?:访问|请求|查看|浏览|查询)的)(?:网|公开)?(?:页|栏目|频道|稿件?|文章|文档|信息|内容|链接|地址|资源)|"
    "(?<!申)请(?:稍|过(?:段|会|一)|重新|返回|检查|刷新|点击|耐心|改[日天期]|联系管理)|"
    "\\b(?:you|your|sorry|we|our|again|back)\\b",
    re.IGNORECASE,
)
_LETTER = re.compile("[您你]好|反映的|来信|留言")  # an answer to somebody who wrote
_SITE = re.compile(
    "[网本该此]站|站点|网[页址]|页面|平台|门户|栏目|频道|稿件|文档|链接|浏览|访问|打开|加载|登[录陆]|账[号户]|服务器|系统|数据库|"
    "\\b(?:page|site|website|server|browser|request|link|document|access|connection|log ?in|sign ?in)s?\\b",
    re.IGNORECASE,
)
_OF_MACHINES = frozenset({"http_5xx", "http_403"})  # said by programs that speak to nobody
_STATUS = re.compile(r"\W*(?:HTTP)?\W*(?:状态|Status|错误|Error)?\W*(?:码|代码|code)?\W*[45]\d\d\b", re.IGNORECASE)
_DAY = re.compile(r"(?:19|20)\d\d\s?[年/.-]\s?\d{1,2}\s?[月/.-]\s?\d{1,2}")
_LETTERS = re.compile(r"[^\W_]")


@dataclass(frozen=True)
class Said:
    """What a page says, sentence by sentence, without quotations. `title` is that of the head, else of the page."""

    title: str
    sentences: tuple[str, ...]
    dated: bool  # names its day or its publisher, as articles do
    asks_password: bool = False
    article: bool = False  # reads like one: several sentences in an article's place
    long: bool = False  # too much of it for a notice
    headed: bool = False  # has a heading, as documents have
    signed: bool = False  # names both its day and its publisher, under a title: no notice does


def said(html: str, title: str, visible: str, document: Document | None, *, little: int) -> Said:
    """The words to judge: of an article its own, of anything else all that a reader sees, up to `little` characters."""
    main = list(document.paragraphs) if document is not None and document.kind != "listing" else []
    article = document is not None and document.kind == "article"
    pieces = main if article or len(visible) > little else main or [visible]
    day = document is not None and _shows_day(html, document)
    dated = document is not None and bool(day or document.publisher or _OFFICIAL.search(title))
    signed = document is not None and bool(day and document.publisher)
    name = _QUOTED.sub("", title)
    if sum(map(len, pieces)) > little:
        return Said(name, (), dated, long=True)
    sentences = tuple(s for piece in pieces for s in _SENTENCE.findall(_QUOTED.sub("", piece)) if _LETTERS.search(s))
    return Said(
        name,
        sentences,
        dated,
        asks_password=bool(_PASSWORD.search(html)),
        article=article and len(sentences) > 1,
        headed=bool(_HEADING.search(html)),
        signed=signed and article and len(name) >= NAME,
    )


def _shows_day(html: str, document: Document) -> bool:
    """Whether the page names its day: its address names that of a document that it may no longer show."""
    shown = document.published
    return shown is not None and (shown != dates.in_url(document.url or "") or _DAY.search(html) is not None)


def find(
    page: Said, rules: TextRules, words: Collection[str] = WORDS, *, alone: bool = False
) -> tuple[str, str] | None:
    """(failure word, what was read) of a page that is only a notice; `alone`: it is known to be no article."""
    if page.long:
        return None
    rest = 0 if alone or _names_status(page) else beside(page, rules)
    if page.asks_password and rest < REST and "login" in words:
        return "login", "the page asks for a password and says nothing else"
    for word in words:
        patterns = rules.signs.get(word, ())
        if page.article and word not in _OF_MACHINES and not _for_reader(page):
            continue
        if rest < REST and _names_notice(page, word, rest) and (found := _first(page.title, patterns)):
            return word, found
        told = [(s, found) for s in page.sentences if (found := _first(s, patterns))]
        if told and _is_all(page, sum(len(s) for s, _ in told), rest, patterns):
            return word, told[0][1]
    return None


def _names_status(page: Said) -> bool:
    """Whether the title is an HTTP status: what else such a page says is how a program explains itself."""
    return not page.dated and bool(_STATUS.match(page.title))


def _names_notice(page: Said, word: str, rest: int) -> bool:
    """Whether the title can be a notice's: below that of an article stands what it is about, told to nobody."""
    return not page.signed and (not rest or word in _OF_MACHINES or _for_reader(page))


def _for_reader(page: Said) -> bool:
    """Whether somebody is spoken to, or the site speaks of itself: an article about such things does neither."""
    return any(_READER.search(s) for s in (page.title, *page.sentences))


def speaks_to_visitor(page: Said) -> bool:
    """Whether a text that is no article, in a few words, is for whoever asked for the page: no document does that."""
    return not page.long and not page.dated and any(_VISITOR.search(s) for s in page.sentences)


def is_word_to_visitor(page: Said) -> bool:
    """Whether an undated text of a few sentences is for whoever asked, and about the site it was asked of.

    What such notices say is endless; that they speak of pages, servers and visits, to a reader, and of next to nothing
    else under no day, is what they share. An answer to a letter speaks to a reader too.
    """
    if page.long or page.dated or sum(map(len, page.sentences)) > FEW or len(page.title) > FEW:
        return False
    if any(_LETTER.search(s) for s in page.sentences):
        return False
    told = [s for s in page.sentences if s.strip() not in page.title]
    apart = sum(len(s) for s in told if not _SITE.search(s))
    return bool(told) and apart <= REST // 2 and any(_ASKED.search(s) for s in page.sentences)


def beside(page: Said, rules: TextRules) -> int:
    """Characters of the sentences that are neither a notice nor its company, nor the title again."""
    if page.long:
        return REST
    known = [p for word in (*WORDS, "notice") for p in rules.signs.get(word, ())]
    return sum(len(s) for s in page.sentences if s.strip() not in page.title and not _first(s, known))


def _is_all(page: Said, told: int, rest: int, patterns: Sequence[re.Pattern[str]]) -> bool:
    """Whether the notice is what the page is there for; a text with its day and a title of its own is about it."""
    if page.signed or (page.dated and len(page.title) >= NAME and not _first(page.title, patterns)):
        return False
    return rest < REST or (rest < told and not page.dated)


def _first(text: str, patterns: Iterable[re.Pattern[str]]) -> str | None:
    """What one of them finds, with the words around it."""
    for pattern in patterns:
        if found := pattern.search(text):
            return text[max(0, found.start() - _AROUND) : found.end() + _AROUND].strip()
    return None
