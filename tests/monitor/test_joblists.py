"""Lists of other programs and spreadsheets as entries of sources.yaml."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from monitor import config as configuration
from monitor import joblists
from monitor.errors import UsageError


def read(folder: Path, name: str, text: str | bytes) -> joblists.Jobs:
    (folder / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    return joblists.read(folder / name)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "gbk", "utf-16"])
def test_a_table_in_any_encoding(tmp_path: Path, encoding: str) -> None:
    text = '名称,网址,地区代码,标签,备注\n松原报告,http://a.example/bg/,220799000000,"两会，报告",x\n\n坏行,not-an-address,,,\n'
    jobs = read(tmp_path, "a.csv", text.encode(encoding))
    assert jobs.entries == [
        {"name": "松原报告", "url": "http://a.example/bg/", "region": "220799", "tags": ["两会", "报告"]}
    ]
    assert [w.split(":")[0] for w in jobs.warnings] == ["columns left out", "2"]


def test_tabs_and_bare_addresses(tmp_path: Path) -> None:
    jobs = read(tmp_path, "a.tsv", "url\tkind\tpages\tregion\nhttp://a.example/\tlisting\t3\t230100.0\n")
    assert jobs.entries == [{"url": "http://a.example/", "kind": "listing", "pages": 3, "region": "2301"}]
    jobs = read(tmp_path, "a.txt", "http://a.example/1\n# nothing\nhttps://a.example/2 note\n")
    assert [e["url"] for e in jobs.entries] == ["http://a.example/1", "https://a.example/2"]


def test_urlwatch(tmp_path: Path) -> None:
    jobs = read(tmp_path, "urls.yaml", """
name: 松原报告
url: http://a.example/bg/
filter:
  - css: {selector: "#zoom", exclude: .share}
  - html2text
  - grep: 目标
---
navigate: http://a.example/js/
filter: element-by-id:main
headers: {X: y}
---
command: rm -rf /
""")  # fmt: skip
    assert jobs.entries == [
        {"url": "http://a.example/bg/", "name": "松原报告", "selector": "#zoom", "exclude": [".share"]},
        {"url": "http://a.example/js/", "render": "browser", "selector": "#main"},
    ]
    assert jobs.warnings == [
        "松原报告: filter grep: not taken over",
        "http://a.example/js/: headers: not taken over",
        "rm -rf /: no address, left out",
    ]


def test_changedetection(tmp_path: Path) -> None:
    watch = {
        "url": "http://a.example/1", "title": "一", "tags": ["t1"], "include_filters": ["#zoom", "xpath://a"],
        "subtractive_selectors": [".ad"], "paused": True, "time_between_check": {"hours": 2, "minutes": 30},
        "fetch_backend": "html_webdriver",
    }  # fmt: skip
    data = {"watching": {"u1": watch}, "settings": {"application": {"tags": {"t1": {"title": "两会"}}}}}
    jobs = read(tmp_path, "url-watches.json", json.dumps(data))
    assert jobs.entries == [{
        "url": "http://a.example/1", "name": "一", "tags": ["两会"], "selector": "#zoom", "exclude": [".ad"],
        "enabled": False, "render": "browser", "every": "150m",
    }]  # fmt: skip
    assert jobs.warnings == ["一: XPath and JSON filters: not taken over"]


def test_opml(tmp_path: Path) -> None:
    text = '<opml><body><outline text="组"><outline type="rss" text="云岭&amp;松原" xmlUrl="http://a.example/rss?a=1&amp;b=2"/></outline></body></opml>'
    assert read(tmp_path, "a.opml", text).entries == [
        {"url": "http://a.example/rss?a=1&b=2", "name": "云岭&松原", "kind": "feed"}
    ]


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("a.csv", "name,code\nx,1\n", "no column url"),
        ("a.json", "{broken", "not JSON"),
        ("a.yaml", "a: [", "not YAML"),
        ("a.xlsx", b"PK\x03\x04\xff\xfe\x80\x81\x00", "neither UTF-8 nor GBK"),
    ],
)
def test_what_is_no_list_is_an_error(tmp_path: Path, name: str, text: str | bytes, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        read(tmp_path, name, text)
    with pytest.raises(UsageError, match="No such file"):
        joblists.read(tmp_path / "missing.csv")


def test_the_command_adds_what_is_new_in_one_step(desk: Any) -> None:
    desk.watch({"key": "a", "url": "http://a.example/1"})
    desk.config.write_text("# ours\n" + desk.config.read_text("utf-8"), "utf-8")
    rows = ("url,name,region", "http://a.example/1,甲,", "http://b.example/x/,乙,", "http://b.example/x/,乙,")
    (desk.folder / "l.csv").write_text("\n".join((*rows, "http://c.example/,丙,南岗区")), "utf-8")
    done = desk.run("sources", "import", "l.csv", "--kind", "listing", "--region", "2301", "--tag", "x", "--json")
    assert (done.code, done.json["written"], len(done.json["warnings"])) == (0, True, 2)
    config = configuration.load(str(desk.config))
    assert [(s.key, s.kind, s.region, s.tags) for s in config.sources[1:]] == [
        ("b-x", "listing", "2301", ("x",)),
        ("c", "listing", "230103", ("x",)),
    ]
    assert desk.config.read_text("utf-8").startswith("# ours\n")


def test_one_wrong_entry_and_nothing_is_written(desk: Any) -> None:
    desk.watch({"key": "a", "url": "http://a.example/1"})
    before = desk.config.read_bytes()
    (desk.folder / "l.csv").write_text("url,region\nhttp://b.example/,230102\nhttp://c.example/,Harbin\n")
    done = desk.run("sources", "import", "l.csv")
    assert (done.code, desk.config.read_bytes()) == (2, before)
    assert "Harbin" in done.err
    dry = desk.run("sources", "import", "l.csv", "--dry-run")
    assert (dry.code, dry.out.count("- key:"), desk.config.read_bytes()) == (0, 2, before)
