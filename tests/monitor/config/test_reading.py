"""sources.yaml: what is right becomes a Config, what is wrong is named with its place and cure."""

from __future__ import annotations

import json
import re
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from monitor import config, net
from monitor.config.keys import TLS_PROFILES
from monitor.errors import ConfigError
from monitor.model import Links, Recheck, Season, Source

ROOT = Path(__file__).parents[3]
MISTAKES: list[dict[str, Any]] = yaml.safe_load((ROOT / "tests/data/config_mistakes.yaml").read_text("utf-8"))

ALL_KEYS = """
network: {allow_private: [127.0.0.1], allow_ports: 8080, user_agent: watch/1}
defaults: {every: 2h, delay: 0s, tags: [d], max_bytes: 512KB, confirm: off, match: 报告}
sources:
  - key: yunling-report
    url: "http://yunling.example/zfgzbg/"
    kind: listing
    name: 云岭区政府工作报告
    region: 990102
    series: 政府工作报告
    release: 2021
    selector: "#zoom"
    exclude: .share
    match: null
    links: {include: ['\\.shtml$'], exclude: [/zt/]}
    pages: 3
    backfill: 7d
    cron: "0 7 * * 7"
    timezone: Asia/Urumqi
    season: {months: [12, 1], every: 1h}
    recheck: 30m for 14d, then 1d
    delay: 3s
    concurrency_per_host: 2
    respect_robots: no
    timeout: 90s
    max_bytes: 1GB
    confirm: [10m, 3m]
    tls: legacy
    proxy: http://proxy.example:3128
    render: http
    tags: [a, b]
    enabled: false
  - {key: bare, url: http://bare.example/}
"""


def write(folder: Path, text: str, name: str = "sources.yaml") -> Path:
    path = folder / name
    path.write_text(text, "utf-8")
    return path


@pytest.mark.parametrize("case", MISTAKES, ids=[case["name"] for case in MISTAKES])
def test_mistake(case: dict[str, Any], tmp_path: Path) -> None:
    path = write(tmp_path, case["file"])
    with pytest.raises(ConfigError) as caught:
        config.load(path)
    said = [str(caught.value), *getattr(caught.value, "__notes__", [])]
    wanted = [f"{path}:{'' if line[0].isdigit() else ' '}{line}".replace("FILE", str(path)) for line in case["says"]]
    assert said == wanted


def test_every_key_is_read(tmp_path: Path) -> None:
    loaded = config.load(write(tmp_path, ALL_KEYS))
    assert loaded.sources[0] == Source(
        key="yunling-report",
        url="http://yunling.example/zfgzbg/",
        kind="listing",
        name="云岭区政府工作报告",
        region="990102",
        series="政府工作报告",
        release="2021",
        selector="#zoom",
        exclude=(".share",),
        match=None,
        links=Links((r"\.shtml$",), ("/zt/",)),
        pages=3,
        backfill=timedelta(days=7),
        every=None,
        cron="0 7 * * 7",
        timezone="Asia/Urumqi",
        season=Season(frozenset({12, 1}), timedelta(hours=1)),
        recheck=Recheck(timedelta(minutes=30), timedelta(days=14), timedelta(days=1)),
        delay=timedelta(seconds=3),
        concurrency_per_host=2,
        respect_robots=False,
        timeout=timedelta(seconds=90),
        max_bytes=1_000_000_000,
        confirm=(timedelta(minutes=3), timedelta(minutes=10)),
        tls="legacy",
        proxy="http://proxy.example:3128",
        render="http",
        tags=("a", "b"),
        enabled=False,
    )
    assert loaded.network.allow_private == ("127.0.0.1/32",)
    assert loaded.network.allow_ports == (8080,)
    assert loaded.network.user_agent == "watch/1"


def test_defaults_reach_sources_that_say_nothing(tmp_path: Path) -> None:
    bare = config.load(write(tmp_path, ALL_KEYS)).sources[1]
    assert (bare.every, bare.delay, bare.tags) == (timedelta(hours=2), timedelta(0), ("d",))
    assert (bare.max_bytes, bare.confirm, bare.match) == (512_000, (), "报告")
    assert bare.kind == "page"


def test_a_crontab_line_outdoes_interval_and_season_of_the_defaults(tmp_path: Path) -> None:
    text = """
defaults: {every: 2h, season: {months: [1], every: 1h}}
sources: [{key: a, url: http://a.example/, cron: "0 7 * * *"}]
"""
    source = config.load(write(tmp_path, text)).sources[0]
    assert (source.every, source.season, source.cron) == (None, None, "0 7 * * *")


def test_an_interval_outdoes_the_crontab_line_of_the_defaults(tmp_path: Path) -> None:
    text = 'defaults: {cron: "0 7 * * *"}\nsources: [{key: a, url: http://a.example/, every: 5m}]'
    source = config.load(write(tmp_path, text)).sources[0]
    assert (source.every, source.cron) == (timedelta(minutes=5), None)


def test_anchors_are_merged(tmp_path: Path) -> None:
    text = """
sources:
  - &one {key: a, url: http://a.example/, every: 5m, tags: [x]}
  - {<<: *one, key: b, url: http://b.example/}
"""
    second = config.load(write(tmp_path, text)).sources[1]
    assert (second.key, second.every, second.tags) == ("b", timedelta(minutes=5), ("x",))


def test_an_anchor_that_merges_itself_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="a mapping"):
        config.load(write(tmp_path, "sources:\n  - &a {<<: *a, key: a, url: http://a.example/}\n"))


def test_includes_keep_their_own_defaults(tmp_path: Path) -> None:
    (tmp_path / "sources.d").mkdir()
    write(tmp_path, "sources: [{key: b, url: http://b.example/}]\ndefaults: {every: 1d}", "sources.d/b.yaml")
    write(tmp_path, "", "sources.d/empty.yaml")
    write(tmp_path, "channels: {desk: {type: email, to: a@a.example}}", "sources.d/c.yaml")
    main = write(
        tmp_path,
        "include: sources.d/*.yaml\nsources: [{key: a, url: http://a.example/}]\ndefaults: {every: 2h, delay: 5s}\n"
        "subscriptions: [{channel: desk, sources: [b]}]",
    )
    loaded = config.load(main)
    assert [(s.key, s.every, s.delay.seconds) for s in loaded.sources] == [
        ("a", timedelta(hours=2), 5),
        ("b", timedelta(days=1), 5),
    ]
    assert loaded.channels[0].name == "desk"


def test_a_pattern_that_finds_nothing_is_said(tmp_path: Path) -> None:
    """A folder that was not mounted took its sources along, in silence."""
    main = write(tmp_path, "sources: [{key: a, url: http://a.example/}]\ninclude: sources.d/*.yaml")
    assert config.load(main).warnings == (f"{main}:2: include: 'sources.d/*.yaml' finds no file",)


def test_a_mistake_in_an_included_file_names_that_file(tmp_path: Path) -> None:
    other = write(tmp_path, "\nsources: [{key: a, url: http://b.example/}]\nnetwork: {}", "other.yaml")
    main = write(tmp_path, "include: [other.yaml]\nsources: [{key: a, url: http://a.example/}]")
    with pytest.raises(ConfigError) as caught:
        config.load(main)
    assert str(caught.value) == f"{other}:2:17: sources[0].key: the key 'a' stands here twice (first in {main}:2)"
    assert caught.value.__notes__ == [
        f"{other}:3:1: network: an included file cannot hold this (move it to the main file)"
    ]


def test_subscriptions_and_channels(tmp_path: Path) -> None:
    text = """
sources: []
channels:
  desk: {type: email, to: [a@a.example, b@b.example]}
  hook: {type: webhook, url: "https://a.example/x", secret_env: HOOK_SECRET}
subscriptions:
  - {channel: desk, tags: [harbin], on: [targets, health], digest: "0 8 * * *", lang: en}
  - {channel: hook, regions: ["9901"], min_significance: 0.5, keywords: 目标}
"""
    loaded = config.load(write(tmp_path, text))
    assert [(c.name, c.type, c.to, c.secret_env) for c in loaded.channels] == [
        ("desk", "email", ("a@a.example", "b@b.example"), None),
        ("hook", "webhook", (), "HOOK_SECRET"),
    ]
    first, second = loaded.subscriptions
    assert (first.on, first.digest, first.lang) == (("targets", "health"), "0 8 * * *", "en")
    assert (second.regions, second.min_significance, second.keywords) == (("9901",), 0.5, ("目标",))


def test_words_that_match_nothing_are_only_warned_of(tmp_path: Path) -> None:
    text = """
sources: [{key: a, url: http://a.example/, tags: [songyuan], series: 政府工作报告}]
channels: {desk: {type: email, to: a@a.example}}
subscriptions: [{channel: desk, indicators: [幸福飞碟数], tags: [songyan], series: [政府工作报告, 公报]}]
"""
    path = write(tmp_path, text)
    place = f"{path}:4: subscriptions[0]"
    assert config.load(path).warnings == (
        f"{place}.tags: no source has 'songyan' (did you mean 'songyuan'?)",
        f"{place}.series: no source has '公报'",
        f"{place}.indicators: '幸福飞碟数' is in no list of indicators; it is compared as written",
    )


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    place=st.integers(0, len(ALL_KEYS)),
    cut=st.integers(0, 5),
    put=st.sampled_from(
        ["", "{", "}", "[", "]", ": ", "- ", "*a", "&a ", '"', "\t", "\x00", "null", "? ", "|", "<<: "]
    ),
)
def test_a_mutilated_file_is_read_or_refused_with_its_name(tmp_path: Path, place: int, cut: int, put: str) -> None:
    path = write(tmp_path, ALL_KEYS[:place] + put + ALL_KEYS[place + cut :])
    try:
        assert config.load(path).path == str(path)
    except ConfigError as error:
        assert str(error).startswith(f"{path}:")


def test_a_missing_file_says_how_to_get_one(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"there is no such file .*mubiao init"):
        config.load(tmp_path / "sources.yaml")


def test_a_file_in_gbk_is_named_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "sources.yaml"
    path.write_bytes("sources:\n  - name: 云岭区\n".encode("gb18030"))
    with pytest.raises(ConfigError) as caught:
        config.load(path)
    assert str(caught.value) == f"{path}:2: not UTF-8 (save the file as UTF-8)"


def test_a_byte_order_mark_and_windows_lines_are_fine(tmp_path: Path) -> None:
    path = tmp_path / "sources.yaml"
    path.write_bytes(b"\xef\xbb\xbfsources:\r\n  - {key: a, url: http://a.example/}\r\n")
    assert config.load(path).sources[0].key == "a"


def test_five_thousand_sources_of_json_load_quickly(tmp_path: Path) -> None:
    rows = [{"key": f"p{i}", "url": f"http://127.0.0.1:8000/{i}.html", "name": f"page {i}"} for i in range(5000)]
    path = write(tmp_path, json.dumps({"defaults": {"every": "1h", "delay": "0s"}, "sources": rows}))
    began = time.process_time()
    assert len(config.load(path).sources) == 5000
    assert time.process_time() - began < 2  # 0.2 s on a quiet machine


def test_our_own_files_load(tmp_path: Path) -> None:
    ours = config.load(ROOT / "sources.yaml")
    assert {s.kind for s in ours.sources} == {"listing", "epaper"}
    assert all(s.region for s in ours.sources)
    first = config.load(write(tmp_path, config.init_text()))
    assert [s.enabled for s in first.sources] == [False]


def test_what_the_first_file_only_offers_holds_too(tmp_path: Path) -> None:
    text, sign, offered = config.init_text().partition("# Ways out.")
    offered = re.sub(r"^# (?= |(?:channels|subscriptions|network):)", "", offered, flags=re.MULTILINE)
    first = config.load(write(tmp_path, text + sign + offered))
    desk = first.channels[0]
    assert ([c.type for c in first.channels], desk.quiet is not None, desk.rate is not None) == (
        ["email", "webhook", "apprise", "feed"], True, True,
    )  # fmt: skip
    assert [s.digest for s in first.subscriptions] == [None, "0 8 * * 1", None]
    assert first.network.heartbeat


def test_the_schema_knows_every_key_of_a_source() -> None:
    known = config.schema()["properties"]["sources"]["items"]
    assert set(known["properties"]) == set(Source.__dataclass_fields__)
    assert known["required"] == ["key", "url"]
    assert known["additionalProperties"] is False


def test_tls_profiles_are_those_of_the_network_room() -> None:
    assert TLS_PROFILES == net.PROFILES
