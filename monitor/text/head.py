"""What a page says of its article: meta tags of the national standard, comments of e-papers, and the lines shown.

The tags are those of the annex to 政府网站发展指引 (国办发〔2017〕47号): ArticleTitle, PubDate, ContentSource,
ColumnName, SiteIDCode and others; their case varies, and some pages carry them twice.
"""

from __future__ import annotations

import html as entities
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from monitor.model import TextRules
from monitor.text import dates
from monitor.text.lines import tidy
from monitor.text.outline import Outline
from monitor.text.tags import RANKED, attribute

WHOLE_TITLE = 8  # characters from which a line before the text can be the title that `<title>` names among others
_DAYS = ("pubdate", "publishdate", "article:published_time", "apub:time", "createdate", "publish_date", "datepublished")
_GUESSED = frozenset(
    f"title: {why}"
    for why in ("line before the text", "heading before the text", "line over the date", "first heading")
)
UNLABELLED = frozenset({"near the title", "label before the title", "date of the issue", "none shown"})
DOUBTFUL = frozenset({"title", "first heading"})  # where a title was found that a line near the text overrules
LONGEST = 300  # characters of a title, a name, the text of a link; titles of documents stay under 120
WRITTEN = 2_000  # characters of a tag's source that are read for one of them
UNCLOSED = 50  # names of fields that never end, after which no more are looked for
HEADING = 500  # characters of an element that can be a heading, the source and the date in it included
HEADINGS_MOST = 100  # elements of a page that are looked at as headings
HEADING_PIECES = 200  # texts in one of them
NEAR_TITLE = 300  # characters behind the title in which an unlabelled date is the article's

_TAGS = re.compile(r"<[^<>]*>")
_PROPERTY = re.compile(r"<!--\s*enpproperty", re.IGNORECASE)
_PROPERTY_CLOSES = re.compile(r"/enpproperty\s*-->", re.IGNORECASE)
_BLANK_CONTENT = re.compile(r"[\s*\-—]*")
_FIELD = re.compile(r"<(\w+)>")
_SUFFIX = re.compile(r"\s*[_|｜–—]+\s*|\s+-+\s*|\s*-+\s+|--+|-(?!(?<=\d-)\d)(?=[^-]{2,20}$)")
_ORNAMENTS = re.compile(r"^[\s:：*★☆◆◇■□●○~～=·.…—_-]+(?=\w)|[\s:：*★☆◆◇■□●○~～=·_-]+$")
_DASHES = ("—", "——", "–")  # these stand within titles too: 1—2月, 开局之年——…
_NEXT_LABEL = re.compile(
    "发布|发表|更新|时间|日期|浏览|点击|阅读|访问|字体|字号|作者|编辑|责任|审核|来源|分享|打印|【|\\["
)
_WORD = re.compile(r"[\W_]+")
COLUMN_NAME = 5  # letters of a `<title>` that may be the name of a column
SITE_NAME = 24  # characters of the name of a site
_LABEL = re.compile(
    r"(?:^|\n)[^\S\n]*[【\[]?(?:标\s*题|信息名称|文件名称|文件标题|名\s*称)[】\]]?\s*[：:]\s*([^\n]{6,120})"
)
_NUMBER = re.compile(r".{0,16}[〔\[(（]\d{4}[〕\])）]\s*第?\d+号")
TITLE_LEAST, TITLE_MOST = 5, 120  # characters of a title
_DATED = re.compile(
    rf"(?:{dates.DATE.pattern})\s*(?:\d{{1,2}}[：:∶]\d{{2}}|$|[|｜【\[（(]|\s+(?:(?:文章|信息|稿件|新闻)?来源|作者|编辑|字体|字号|浏览|点击|阅读))"
)
_BYLINE = re.compile(
    r"^[—－\-□■◎●]|记者|通讯员|^(?:文|图)[/：:]|[。；：]$|^\W*(?:(?:19|20)\d\d|时间|日期|发布|来源|作者|编辑|阅读|浏览|点击|字号|字体)|^(?:查看|下载|打印|附件|原文)|〔\d{4}〕|[>›»]|https?:|www\.|[报网社]$"
)
_PROPERTIES = re.compile(
    rf"[\s(（【\[]*(?:(?:来源|作者|时间|日期|发布时间|发布日期|编辑|浏览)\s*[：:]|(?:{dates.DATE.pattern})\s*(?:\d{{1,2}}[：:]|[)）]?\s*$))"
)
_HEADING = re.compile("(?i:title)|bt(?![mn])")  # 标题; no button, no bottom
_PAPER = re.compile("电子报|数字报|电子版|数字版|日报|晚报|早报|晨报|时报|商报|周报|电讯")
_SITE = re.compile(
    r"(?:网|网站|门户|政府|委员会|管委会|常委会|人大|政协|纪委|监委|法院|检察院|总工会|妇联|残联|联合会|办事处|厅|局|在线|频道|新闻中心|平台|客户端|资讯|首页|日报|晚报|早报|晨报|时报|商报|周报|"
    r"电子报|数字报|电子版|数字版|党校|学校|大学|学院|医院|研究院|研究所|协会|学会|公司|集团)[)）]?$"
)


@dataclass(frozen=True)
class Head:
    """The facts beside the text. `shown` is the page's own date, `meta` the one of its tags."""

    title: str | None = None
    shown: str | None = None
    meta: str | None = None
    publisher: str | None = None
    author: str | None = None
    column: str | None = None
    site_code: str | None = None
    labelled: bool = False  # a word before the date says what it is
    why: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()  # what was cut


def meta_tags(page: Outline) -> dict[str, str]:
    """name (lower case) -> content, the first that is not empty; `property` counts as a name."""
    found: dict[str, str] = {}
    for source in page.metas:
        name = (attribute(source, "name") or attribute(source, "property")).strip().lower()
        content = plain(attribute(source, "content")) if name and name not in found else ""
        if content and not _BLANK_CONTENT.fullmatch(content):
            found[name] = content
    return found


def properties(html: str) -> dict[str, str]:
    """The fields of a Founder or 翔宇 comment: title, subtitle, date, author, …"""
    opened = _PROPERTY.search(html) if "enpproperty" in html else None
    closed = _PROPERTY_CLOSES.search(html, opened.end()) if opened else None
    if opened is None or closed is None:
        return {}
    return {k.lower(): value for k, v in _fields(html[opened.end() : closed.start()]) if (value := plain(v))}


def _fields(source: str) -> Iterator[tuple[str, str]]:
    """(name, content) of each `<name>…</name>`, in one walk: a name that is not closed once is not looked for again."""
    at, open_ended = 0, set[str]()
    while len(open_ended) < UNCLOSED and (opened := _FIELD.search(source, at)):
        name, at = opened[1], opened.end()
        if name in open_ended:
            continue
        if (end := source.find(f"</{name}>", at)) < 0:
            open_ended.add(name)
            continue
        yield name, source[at:end]
        at = end + len(name) + 3


def plain(text: str) -> str:
    """Text of an attribute: entities read, tags gone, one line."""
    return tidy(_TAGS.sub(" ", entities.unescape(text[:WRITTEN])))


def bare(text: str) -> str:
    """Letters and digits only, for comparing titles."""
    return _WORD.sub("", text).lower()


def title_of(
    page: Outline,
    meta: Mapping[str, str],
    fields: Mapping[str, str],
    headings: Sequence[str],
    near: Sequence[str] = (),
) -> tuple[str | None, str]:
    """(title, where it was found). `near`: lines before the text; `<title>` may name one beside site and column."""
    if name := meta.get("articletitle"):
        return name, "meta ArticleTitle"
    if name := fields.get("title"):
        return name, "enpproperty"
    whole = plain(page.title or "")
    site = bare(meta.get("sitename", ""))
    cut = without_site(whole)
    apart = [n for n in near if len(n) >= WHOLE_TITLE and (cut.endswith(" " + n) or cut.startswith(n + " "))]
    headings = [*headings, *(n for n in apart if not _SITE.search(n))]
    if len(whole) <= SITE_NAME and _SITE.search(whole):
        site = bare(whole)
    inside = [h for h in headings if len(bare(h)) >= 4 and bare(h) in bare(whole) and bare(h) != site]
    inside = [h for h in inside if bare(h) in bare(cut) or bare(cut) in bare(h)]
    if inside:
        best = max(inside, key=lambda h: len(bare(h)))
        if bare(best) in bare(cut) and re.search("[，。！？“]", cut.replace(best, "")):
            return cut, "title without the site's name"  # a series and its headline
        return best, "heading that the title names"
    for name in (meta.get("pagetitle"), meta.get("og:title")):
        if name:
            return without_site(name), "meta title"
    long = [h for h in headings if len(bare(h)) >= 6 and bare(h) != site]
    if cut and not _SITE.search(cut) and (len(bare(cut)) > COLUMN_NAME or _names_text(cut, near, long)):
        return cut, "title without the site's name"
    return (long[0], "first heading") if long else (cut or None, "title")


def _names_text(cut: str, near: Sequence[str], headings: Sequence[str]) -> bool:
    """Whether a short `<title>` stands as a line before the text, and no heading between it and the text."""
    if cut not in near:
        return False
    behind = near[len(near) - 1 - near[::-1].index(cut) :]
    return not any(heading in behind for heading in headings if heading != cut)


def labelled_title(text: str) -> str | None:
    """The title in a table of the document's properties: 标题, 名称."""
    found = _LABEL.search(text)
    return tidy(found[1]) if found else None


def names_paper(page: Outline) -> bool:
    """Whether `<title>` names a newspaper: its pages print the day of the issue at their head."""
    return page.title is not None and _PAPER.search(page.title) is not None


def nearest(before: str, lines: Sequence[str], headings: Sequence[str], tops: Sequence[str]) -> tuple[str, str] | None:
    """What stands nearest before the text: a heading of the first rank, else another one, else a plain line."""
    for ranked in (tops, headings):
        names = [h for h in map(_without_byline, ranked) if titular(h) and not _SITE.search(h) and not _alone(h)]
        found = [(before.rfind(h[:12]), h) for h in names]
        at, name = max(found, default=(-1, ""))
        if at >= 0:
            return name, "heading before the text"
    plain_ones = [line for line in lines[:6] if titular(line) and not _BYLINE.search(line) and not _alone(line)]
    return (plain_ones[0], "line before the text") if plain_ones else None


def titular(line: str) -> bool:
    """Whether a line can be a title: as long as those are, no sentence, no number of a document."""
    return (
        len(bare(line)) >= TITLE_LEAST
        and len(line) <= TITLE_MOST
        and not _NUMBER.fullmatch(line)
        and line[0] not in "—－-"
        and line[-1] not in "。；："
    )


def _without_byline(heading: str) -> str:
    """A heading whose element also holds the source and the date."""
    found = _PROPERTIES.search(heading)
    return heading[: found.start()].strip() if found and found.start() >= TITLE_LEAST else heading


def without_site(title: str) -> str:
    """The title without the names of column and site behind it, and without the stars and colons around it."""
    title = _ORNAMENTS.sub("", title)
    breaks = list(_SUFFIX.finditer(title))
    parts = [p.strip() for p in _SUFFIX.split(title) if p and p.strip()]
    if len(parts) < 2:
        return title.strip()
    if len(bare(parts[0])) < 4 or (_SITE.search(parts[0]) and len(parts[0]) < 14):
        return max(parts, key=lambda p: len(bare(p)))
    end = len(title)
    for found in reversed(breaks):
        if (
            found.start() == 0
            or len(title[found.end() : end]) > 24
            or re.search("[，。！？“]", title[found.end() : end])
            or (found[0].strip() in _DASHES and not _SITE.search(title[found.end() : end]))
        ):
            break
        end = found.start()
    return title[:end].strip()


def headings(page: Outline) -> tuple[list[str], list[str]]:
    """(candidates for a title in page order, those of the first rank)."""
    found, tops = [], []
    for i in page.headings[:HEADINGS_MOST]:
        if page.first[page.ends[i]] - page.first[i] > HEADING_PIECES or not _heads(page, i):
            continue
        text = tidy(page.text(i))
        if page.tags[i] in {"h1", "ucaptitle", "founder-title"} and text:
            tops.append(text[:HEADING])
        if 4 <= len(text) <= 160:
            found.append(text)
    return found, tops


def _heads(page: Outline, i: int) -> bool:
    """Whether an element can be the document's heading; those of boxes are h4, or named `tit`."""
    if (tag := page.tags[i]) in RANKED:
        return tag not in {"h4", "h5"}
    return _HEADING.search(f"{page.get(i, 'id')} {page.get(i, 'class')}") is not None


def read(
    meta: Mapping[str, str], fields: Mapping[str, str], title: tuple[str | None, str], shown: Shown, rules: TextRules
) -> Head:
    """Everything about the article but its text."""
    day, why = shown.date(rules)
    if fields.get("date") and why in UNLABELLED:  # an e-paper's own word for the day of the issue
        day, why = dates.first(fields["date"]) or day, "enpproperty"
    tagged = next(filter(None, (dates.first(meta.get(name, "")) for name in _DAYS)), None)
    tagged = tagged or dates.first(fields.get("date", ""))
    if day is None and tagged:
        day, why = tagged, "date of the meta tags"
    if day is None and shown.url and (day := dates.in_url(shown.url)):
        why = "date in the address"
    if day is None and shown.paper:
        day, why = shown.paper, "date of the paper"
    if day is None and (day := shown.signed()):
        why = "date under the text"
    source = shown.labelled(rules.publisher_labels) or meta.get("contentsource") or meta.get("source")
    author = shown.labelled(("作者", "记者", "撰稿", "author")) or meta.get("author") or fields.get("author")
    names = {"title": title[0], "publisher": source, "author": author, "column": meta.get("columnname")}
    names["site code"] = meta.get("siteidcode")
    short = {name: value and value[:LONGEST] for name, value in names.items()}
    return Head(
        title=short["title"],
        shown=day,
        meta=tagged,
        publisher=short["publisher"],
        author=short["author"],
        column=short["column"],
        site_code=short["site code"],
        labelled="label" in why,
        why=(f"title: {title[1]}", f"date: {why}"),
        warnings=tuple(f"{name} cut to {LONGEST} characters" for name in names if short[name] != names[name]),
    )


def of_list(facts: Head, page: Outline) -> Head:
    """Of a list: lines near its links are the titles of documents, and so are the days beside them."""
    name = without_site(plain(page.title or ""))
    title = name[:LONGEST] if name and facts.why[0] in _GUESSED else facts.title
    return replace(facts, title=title, shown=facts.shown if facts.labelled else None)


def _alone(line: str) -> bool:
    """Whether a line is a date and what templates print beside one: a time of day, the source, the author."""
    rest = dates.DATE.sub("", line)
    if rest == line:
        return dates.first(line) is not None and len(line) <= 40
    return len(_WORD.sub("", rest)) <= 8 or (len(line) <= 120 and _DATED.search(line) is not None and "。" not in line)


@dataclass(frozen=True)
class Shown:
    """The visible text around the article: `before` ends where the main text begins, `after` starts where it ends."""

    before: str
    start: str  # the first characters of the main text itself
    after: str
    url: str | None = None
    title: str = ""
    issue: str | None = None  # the day printed on an e-paper's page
    paper: str | None = None  # the first day on a page whose `<title>` names a newspaper
    last: str = ""  # the last characters of the main text
    wide: str = ""  # what stands before the title: tables of the document's properties

    def date(self, rules: TextRules) -> tuple[str | None, str]:
        """The date shown, and why it is believed; what stands near the title beats what stands far from it."""
        near = self.before[-NEAR_TITLE * 3 :]
        for text, why in (
            (near, "label before the text"),
            (self.after[:NEAR_TITLE], "label after the text"),
            (self.start, "label in the text"),
        ):
            if day := dates.labelled(text, rules.date_labels):
                return day, why
        if day := self._unlabelled() or dates.split(near):
            return day, "near the title"
        if day := dates.labelled(self.wide, rules.date_labels):
            return day, "label before the title"
        return (self.issue, "date of the issue") if self.issue else (None, "none shown")

    def _unlabelled(self) -> str | None:
        """A date between title and text, or in a line of its own at the start; never a day that the title names."""
        alone = [line for line in self.start.split("\n")[:4] if _alone(line)]
        for text in (self.before[-NEAR_TITLE:], "\n".join(alone)):
            for day in dates.every(text):
                if day not in dates.every(self.title):
                    return day
        return None

    def signed(self) -> str | None:
        """The day by itself under the text, as notices are signed."""
        lines = [line for line in map(tidy, self.last.split("\n")) if len(_WORD.sub("", dates.DATE.sub("", line))) <= 3]
        return next((day for line in reversed(lines) if (day := dates.first(line))), None)

    def labelled(self, labels: Sequence[str]) -> str | None:
        """The short value behind one of these words."""
        pattern = _behind(tuple(labels))
        for text in (self.before[-NEAR_TITLE * 3 :], self.start[:NEAR_TITLE], self.after[:NEAR_TITLE]):
            for found in pattern.finditer(text) if any(label in text for label in labels) else ():
                value = _NEXT_LABEL.split(found[1], maxsplit=1)[0].strip("　：:（([【,，")
                if value:
                    return value
        return None


@lru_cache(maxsize=8)
def _behind(labels: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile(rf"(?:{'|'.join(labels)})\s*[：:∶]\s*([^\s|｜】\])）]{{2,40}})")
