"""Bytes a version costs: a report of 30,000 characters, edited 40 times, everything counted that the file grows.

    python bench/versions.py [--chars 30000] [--edits 40] [--places 1] [--seed 7] [--text FILE] [--no-peers]

The report is made up and about as hard to compress as a real one (its figure for zstd alone stands beside). An edit is
a number, a word, or a sentence that comes, goes or says something else; `--places 6` makes one to six of them at once.
Each version goes the way of a check: the page with its body, its text, its targets, the change with its edits, the
entries of the full-text index, all rows and indexes. The figure is the growth of the file, vacuumed, from the first
version to the last, divided by the edits; then where it went, by table. Peers keep the same pages in their own stores:
urlwatch and webchanges with `html2text`, which is less than the body that mubiao keeps as evidence.
"""

from __future__ import annotations

import argparse
import http.server
import random
import sqlite3
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import zstandard
from peers import machine, peer, run, verdict

from monitor import assess
from monitor import config as configuration
from monitor.model import Fetch, Source
from storage import migrate
from storage.store import Store

ASKED = 2500
CHANGEDETECTION = 24_600  # bytes of files it keeps for each version; it needs a service of its own to be run
START = datetime(2026, 1, 5, 1, 0, tzinfo=UTC)
INDICATORS = [
    "地区生产总值", "规模以上工业增加值", "固定资产投资", "社会消费品零售总额", "一般公共预算收入", "城镇新增就业",
    "居民人均可支配收入", "外贸进出口总额", "实际利用外资", "研发经费投入", "高新技术企业", "新建口袋公园",
]  # fmt: skip
HEADS = ["一、过去一年工作回顾", "二、今年工作的总体要求和主要目标", "三、今年的重点任务", "四、加强政府自身建设"]
LETTERS = "的一是在不了有和人这中大为上个国我以要他时来用们生到作地于出就分对成会可主发年动同工也能下过子说产种面而方后多定行学法所民得经十三之进着等部度家电力里如水化高自二理起小物现实加量都两体制机当使点从业本去把性好应开它合还因由其些然前外天政四日那社义事平形相全表间样与关各重新线内数正心反你明看原又么利比或但质气第向道命此变条只没结解问意建月公无系军很情者最立代想已通并提直题党程展五果料象员革位入常文总次品式活设及管特件长求老头基资边流路级少图山统接知较将组见计别她手角期根论运农指几九区强放决西被干做必战先回则任取据处队南给色光门即保治北造百规热领七海口东导器压志世金增争济阶油思术极交受联什认六共权收证改清己美再采转更单风切打白教速花带安场身车例真务具万每目至达走积示议声报斗完类八离华名确才科张信马节话米整空元况今集温传土许步群广石记需段研界拉林律叫且究观越织装影算低持音众书布复容儿须际商非验连断深难近矿千周委素技备半办青省列习响约支般史感劳便团往酸历市克何除消构府称太准精值号率族维划选标写存候毛亲快效斯院查江型眼王按格养易置派层片始却专状育厂京识适属圆包火住调满县局照参红细引听该铁价严"  # noqa: E501


class Report:
    """A made-up report and its edits. The same seed makes the same one."""

    def __init__(self, seed: int, chars: int, places: int = 1) -> None:
        self.places = places
        self.r = random.Random(seed)
        self.words = ["".join(self.r.choices(LETTERS, k=self.r.choice((2, 2, 2, 3, 4)))) for _ in range(800)]
        self.weights = [1 / (n + 2) for n in range(len(self.words))]  # as words of a language are spread
        self.paragraphs: list[str] = []
        while sum(map(len, self.paragraphs)) < chars:
            self.paragraphs.append(self.paragraph())
        for part, head in enumerate(HEADS):
            self.paragraphs.insert(part * len(self.paragraphs) // len(HEADS), head)

    def clause(self) -> str:
        return "".join(self.r.choices(self.words, self.weights, k=self.r.randint(3, 7)))

    def sentence(self) -> str:
        if self.r.random() < 0.05:
            return f"{self.clause()}，{self.r.choice(INDICATORS)}增长{self.r.randint(2, 19)}%左右。"
        if self.r.random() < 0.1:
            return f"{self.clause()}，完成投资{self.r.randint(2, 99)}亿元。"
        return "，".join(self.clause() for _ in range(self.r.randint(2, 4))) + "。"

    def paragraph(self) -> str:
        return "".join(self.sentence() for _ in range(self.r.randint(3, 9)))

    def edit(self) -> None:
        """One to `places` places: a number, a word, a sentence that comes, goes or says something else."""
        for _ in range(self.r.randint(1, self.places)):
            at = self.r.randrange(1, len(self.paragraphs))
            sentences = [s + "。" for s in self.paragraphs[at].split("。") if s]
            spot = self.r.randrange(len(sentences))
            old = sentences[spot]
            digits = [n for n, c in enumerate(old) if c.isdigit()]
            match self.r.choice(("number", "number", "word", "word", "other", "more", "less")):
                case "number" if digits:
                    where = self.r.choice(digits)
                    sentences[spot] = (
                        old[:where] + self.r.choice([d for d in "123456789" if d != old[where]]) + old[where + 1 :]
                    )
                case "other":
                    sentences[spot] = self.sentence()
                case "more":
                    sentences.insert(spot, self.sentence())
                case "less" if len(sentences) > 1:
                    del sentences[spot]
                case _:
                    where = self.r.randrange(len(old))
                    sentences[spot] = old[:where] + self.r.choice(self.words) + old[where:]
            self.paragraphs[at] = "".join(sentences)

    def html(self) -> str:
        text = "\n".join(f'<p style="text-indent:2em">　　{p}</p>' for p in self.paragraphs)
        return (
            "<html><head><meta charset='utf-8'><title>2026年政府工作报告_云岭区人民政府</title></head><body>"
            "<div class='nav'><a href='/'>首页</a> <a href='/zwgk/'>政务公开</a></div><h1>2026年政府工作报告</h1>"
            "<div>发布时间：2026-01-05 来源：区政府办公室</div>"
            f"<div id='zoom'>{text}</div><div class='footer'>主办：云岭区人民政府办公室</div></body></html>"
        )


class Given(Report):
    """The same edits of a text that is at hand, one paragraph a line."""

    def __init__(self, seed: int, file: Path) -> None:
        super().__init__(seed, 1)
        self.paragraphs = [x.strip() for x in file.read_text(encoding="utf-8").splitlines() if x.strip()]


def states(report: Report, edits: int) -> Iterator[tuple[list[str], str]]:
    """The paragraphs and the page, at first and after every edit."""
    for number in range(edits + 1):
        if number:
            report.edit()
        yield list(report.paragraphs), report.html()


def keep(pages: list[str], folder: Path) -> Path:
    """Check the page again and again; the database."""
    path = folder / "mubiao.db"
    url = f"sqlite:///{path}"
    migrate.upgrade(url, START)
    words = configuration.vocabulary()
    source = Source(
        key="report", url="http://report.example/1.html", name="report", region="990102", series="政府工作报告"
    )
    with Store(url) as store:
        store.sync_sources([source], START, lambda _: START)
        [page] = store.pages()
        for number, html in enumerate(pages):
            fetch = Fetch(page.url, START + timedelta(hours=number), page.url, status=200, body=html.encode())
            known = store.load(page.id)
            reading = assess.read(fetch, source, known.page, words.text)
            outcome = assess.conclude(reading, known, source, words, store.releases(page.id))
            if outcome.result != ("changed" if number else "new"):
                raise SystemExit(f"edit {number}: {outcome.result} {outcome.failure}")
            store.save(outcome)
            if number == 0:
                store.backup(folder / "first.db")
    return path


def size(path: Path) -> int:
    """Bytes of a database file without free pages."""
    with closing(sqlite3.connect(path)) as file:
        file.execute("VACUUM")
        file.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return path.stat().st_size


def where(path: Path) -> dict[str, int]:
    """Bytes by table and index; payload of the blobs by what they hold."""
    with closing(sqlite3.connect(path)) as file:
        try:
            return dict(file.execute("SELECT name, sum(pgsize) FROM dbstat GROUP BY name"))
        except sqlite3.OperationalError:  # built without dbstat
            return {}


class _Site(http.server.BaseHTTPRequestHandler):
    page = b""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(self.page)))
        self.end_headers()
        self.wfile.write(self.page)

    def log_message(self, *_: object) -> None:
        pass


def peers(pages: list[str], folder: Path) -> Iterator[tuple[str, int]]:
    """How much the stores of urlwatch and webchanges grow from the first version to the last."""
    programs = (
        ("urlwatch", ("urlwatch==2.29", "html2text"), ()),
        ("webchanges", ("webchanges", "html2text"), ("--max-snapshots", "0")),
    )
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Site) as site:
        threading.Thread(target=site.serve_forever, daemon=True).start()
        for name, packages, more in programs:
            home = folder / name
            home.mkdir()
            (home / "jobs.yaml").write_text(f"url: http://127.0.0.1:{site.server_port}/\nfilter:\n  - html2text\n")
            files = ["--urls", "jobs.yaml", "--config", "config.yaml", "--hooks", "hooks.py"]
            store = ["--cache", "store.db"] if name == "urlwatch" else ["--database", "store.db"]
            first = 0
            for number, page in enumerate(pages):
                _Site.page = page.encode()
                time.sleep(1.1)  # they key snapshots by whole seconds
                run([peer(name, *packages) / name, *files, *store, *more], cwd=home)
                first = first or (home / "store.db").stat().st_size if number == 0 else first
            yield name, (home / "store.db").stat().st_size - first
        site.shutdown()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--chars", type=int, default=30_000)
    parser.add_argument("--edits", type=int, default=40)
    parser.add_argument("--places", type=int, default=1, help="places that an edit changes at most")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--text", type=Path, help="a text at hand instead of a made-up one")
    parser.add_argument("--peers", action=argparse.BooleanOptionalAction, default=True)
    args = parser.parse_args()
    print(machine())
    report = Given(args.seed, args.text) if args.text else Report(args.seed, args.chars)
    report.places = args.places
    seen = list(states(report, args.edits))
    alone = zstandard.ZstdCompressor(level=9)
    texts = ["\n".join(p) for p, _ in seen]
    print(
        f"{sum(map(len, texts)) // len(texts)} characters, zstd -9 alone: "
        f"{sum(len(alone.compress(t.encode())) for t in texts) / len(texts):.0f} B of text, "
        f"{sum(len(alone.compress(h.encode())) for _, h in seen) / len(seen):.0f} B of page"
    )
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        path = keep([html for _, html in seen], folder)
        grown = size(path) - size(folder / "first.db")
        before, after = where(folder / "first.db"), where(path)
        for part in sorted(after, key=lambda x: before.get(x, 0) - after[x]):
            if (more := after[part] - before.get(part, 0)) > 0:
                print(f"  {part:40} {more / args.edits:8.0f} B a version")
        for peer_name, theirs in peers([html for _, html in seen], folder) if args.peers else ():
            print(f"{peer_name:40} {theirs / args.edits:8.0f} B a version")
        print(f"{'changedetection.io 0.60.10, 200 short pages':40} {CHANGEDETECTION:8.0f} B a version (not run here)")
        met = verdict("bytes a version, everything counted", grown / args.edits, ASKED, most=True)
    raise SystemExit(0 if met else 1)


if __name__ == "__main__":
    main()
