"""The invented district on two hosts of this machine: its government (GBK, later also UTF-8) and its newspaper.

The round decides what is served (monitor.demo.story); the surroundings of every text change at every request.
"""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Mapping
from datetime import date, datetime
from importlib import resources
from string import Template
from typing import Any
from zoneinfo import ZoneInfo

from jinja2 import Environment, PackageLoader

from monitor.demo import story
from monitor.demo.server import HttpServer, Reply, Request

SHANGHAI = ZoneInfo("Asia/Shanghai")
RELATED = (
    "全区冬季清雪工作部署会召开",
    "区领导走访慰问困难群众",
    "翠湖公园夜游灯光秀今晚点亮",
    "云岭区举办企业用工专场招聘会",
    "我区开展燃气安全入户检查",
    "中小学寒假时间安排公布",
    "北桥街道社区食堂开门纳客",
    "云岭经开区又有三家企业投产",
    "关于调整部分公交线路的通告",
    "区人大代表视察养老服务工作",
    "不动产登记实现全程网办",
    "全区森林防火工作会议召开",
)
ROBOTS = b"User-agent: *\nDisallow: /search\n"


def first_number(text: str) -> tuple[str, str, str]:
    """What stands before, in and after a text's first number: word processors give its digits elements of their own."""
    parts = re.split(r"(\d{2,})", text, maxsplit=1)
    return (parts[0], parts[1], parts[2]) if len(parts) > 1 else (text, "", "")


def demo_sources(site: Site, *, hook: str, lang: str) -> str:
    """The demo's sources.yaml for a started site; `hook` is where its webhooks go."""
    template = resources.files("monitor.demo").joinpath("texts", "sources.yaml").read_text(encoding="utf-8")
    return Template(template).substitute(
        list=site.list_url,
        paper=site.newspaper.url,
        reports_key=story.REPORTS_KEY,
        newspaper_key=story.NEWSPAPER_KEY,
        region=story.REGION,
        series=story.SERIES,
        hook=hook,
        lang=lang,
    )


def _templates() -> Environment:
    env = Environment(loader=PackageLoader("monitor.demo", "pages"), autoescape=True)
    env.filters["first_number"] = first_number
    return env


class Site:
    """Both hosts. Start `government` and `newspaper` (background.running); `advance` moves on."""

    def __init__(self, today: date, *, seed: int | None = None) -> None:
        self._issues: dict[date, tuple[story.Sheet, ...]] = {}
        self.advance(story.BASELINE, today)
        self.requests: Counter[str] = Counter()
        self.government = HttpServer(self._government)
        self.newspaper = HttpServer(self._newspaper, "127.0.0.2")
        self._random = random.Random(seed)
        self._env = _templates()

    def advance(self, number: int, today: date) -> None:
        """Go on to a round. What the newspaper printed on earlier days stays where it was."""
        self.round, self.today = number, today
        if number != story.OUTAGE:
            self._issues[today] = story.issue(number)

    @property
    def list_url(self) -> str:
        """The government's column."""
        return self.government.url + story.LIST_PATH

    def url(self, article: story.Article) -> str:
        """Where an article of the government stands."""
        return self.government.url + article.path

    def paper_url(self, article: story.Article) -> str:
        """Where an article of today's issue stands."""
        return self.newspaper.url + _paper_path(article, self.today)

    def sheet_url(self, number: str = "01") -> str:
        """Where a sheet of today's issue stands."""
        return f"{self.newspaper.url}/pc/layout/{self.today:%Y%m/%d}/node_{number}.html"

    # ------------------------------------------------------------------ what surrounds every text

    def _chrome(self) -> Mapping[str, object]:
        """Clock, weather, counters, tokens and recommended links: another one for every request."""
        dice, hits = self._random, self.requests.total()
        return {
            "clock": datetime.now(SHANGHAI).strftime("%Y年%m月%d日 %H:%M:%S"),
            "weather": f"{dice.choice(['晴', '多云', '小雪', '阴'])} {dice.randint(-24, -3)}℃～{dice.randint(-2, 9)}℃",
            "token": f"{dice.getrandbits(96):024x}",
            "visitors": 3_204_117 + hits * 13 + dice.randint(1, 9),
            "views": 1_500 + hits * 3 + dice.randint(0, 2),
            "heat": round(dice.uniform(10, 99), 1),
            "milliseconds": dice.randint(11, 480),
            "related": dice.sample(RELATED, 6),
        }

    def _page(self, template: str, encoding: str = "utf-8", *, status: int = 200, **values: Any) -> Reply:
        """A rendered page. Old pages name their charset in the page alone, and name it wrongly: gb2312 for GB18030."""
        html = self._env.get_template(template).render(c=self._chrome(), **values)
        kind = "text/html; charset=utf-8" if encoding == "utf-8" else "text/html"
        return Reply(status, html.encode(encoding), kind)

    def _missing(self) -> Reply:
        return self._page("missing.html", status=404)

    # ------------------------------------------------------------------ the government

    def _government(self, request: Request) -> Reply:
        path = request.path.partition("?")[0]
        self.requests["government " + path] += 1
        if path == "/robots.txt":  # a static file in front of the broken application: it answers in an outage too
            return Reply(200, ROBOTS, "text/plain")
        if self.round == story.OUTAGE:
            return self._page("outage.html", status=503)
        if path == "/":
            return self._page("home.html", "gb18030")
        if path == story.LIST_PATH:
            return self._page("list.html", "gb18030", entries=story.listed(self.round))
        for article in story.listed(self.round):
            if article.path == path:
                return self._page(article.template, article.encoding, a=story.at_round(article, self.round))
        return self._missing()

    # ------------------------------------------------------------------ the newspaper

    def _newspaper(self, request: Request) -> Reply:
        path = request.path.partition("?")[0]
        self.requests["newspaper " + path] += 1
        if path == "/robots.txt":
            return Reply(200, ROBOTS, "text/plain")
        if self.round == story.OUTAGE:
            return self._page("challenge.html", status=412)
        if path in ("/", "/pc/", "/pc/index.html"):
            return self._page("paper-home.html", today=self.today)
        for day, sheets in self._issues.items():
            for sheet in sheets:
                if path == f"/pc/layout/{day:%Y%m/%d}/node_{sheet.number}.html":
                    return self._page("paper-sheet.html", sheet=sheet, sheets=sheets, day=day, numbers=story.NUMBERS)
                for article in sheet.articles:
                    if path == _paper_path(article, day):
                        number = story.NUMBERS[article.name]
                        return self._page("paper-article.html", a=article, sheet=sheet, day=day, number=number)
        return self._missing()


def _paper_path(article: story.Article, day: date) -> str:
    return f"/pc/content/{day:%Y%m/%d}/content_{story.NUMBERS[article.name]}.html"
