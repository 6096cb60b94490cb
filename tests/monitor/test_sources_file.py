"""Adding a source leaves every other letter of the file as it was."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from monitor import config, sources_file
from monitor.errors import ConfigError

ENTRY = {
    "key": "云岭-report",
    "url": "http://yunling.example/zfgzbg/index.html?a=1&b=2",
    "region": "990102",
    "tags": ["a", "b"],
    "season": {"months": [12, 1], "every": "1h"},
}
TEXT = """# what we watch
sources:
  # the first
  - key: a     # stable
    url: "http://a.example/"
    exclude:
      - .share
      - .foot    # the last one

# ---- ways out
channels: {}   # none yet
"""
ADDED = """  - key: 云岭-report
    url: http://yunling.example/zfgzbg/index.html?a=1&b=2
    region: '990102'
    tags: [a, b]
    season: {months: [12, 1], every: 1h}
"""


def test_the_entry_is_inserted_and_nothing_else_changes(tmp_path: Path) -> None:
    path = tmp_path / "sources.yaml"
    path.write_text(TEXT, "utf-8")
    sources_file.add(path, ENTRY, check=config.load)
    assert path.read_text("utf-8") == TEXT.replace("the last one\n", "the last one\n" + ADDED)
    assert [s.key for s in config.load(path).sources] == ["a", "云岭-report"]
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    "text",
    [
        "sources: []\n",
        "# only a comment\nsources:\n",
        "network: {}  # kept\n",
        "sources:\n- key: a\n  url: http://a.example/\n  match: |\n    x\n",
        "sources:\n    -   key: a\n        url: http://a.example/",
        'sources:\n  - {key: a, url: "http://a.example/",\n     every: 1h}\nchannels: {}\n',
        json.dumps({"sources": [{"key": "a", "url": "http://a.example/"}]}),
        "sources:\r\n  - key: a\r\n    url: http://a.example/\r\n",
    ],
)
def test_other_shapes_of_the_file(text: str, tmp_path: Path) -> None:
    path = tmp_path / "sources.yaml"
    path.write_bytes(text.encode())
    before = yaml.safe_load(text)
    sources_file.add(path, ENTRY, check=config.load)
    after = yaml.safe_load(path.read_bytes())
    assert after == {**before, "sources": [*(before.get("sources") or []), ENTRY]}
    assert all(comment in path.read_text("utf-8") for comment in ("# kept", "# only a comment") if comment in text)
    assert path.read_bytes().count(b"\r\n") in (0, path.read_bytes().count(b"\n"))


@pytest.mark.parametrize("twice", [{"key": "a"}, {"url": "http://a.example/"}])
def test_what_is_there_already_is_refused(twice: dict[str, str], tmp_path: Path) -> None:
    path = tmp_path / "sources.yaml"
    path.write_text(TEXT, "utf-8")
    with pytest.raises(ConfigError, match=rf"sources.yaml:[45]:\d+: {next(iter(twice))}: .* is there already"):
        sources_file.add(path, ENTRY | twice)
    assert path.read_text("utf-8") == TEXT


def test_an_entry_that_does_not_pass_the_check_leaves_the_file(tmp_path: Path) -> None:
    path = tmp_path / "sources.yaml"
    path.write_text(TEXT, "utf-8")
    with pytest.raises(ConfigError, match="not a duration"):
        sources_file.add(path, ENTRY | {"every": "often"}, check=config.load)
    assert path.read_text("utf-8") == TEXT
    assert list(tmp_path.iterdir()) == [path]


def test_a_broken_or_missing_file_is_not_touched(tmp_path: Path) -> None:
    path = tmp_path / "sources.yaml"
    with pytest.raises(ConfigError, match="mubiao init"):
        sources_file.add(path, ENTRY)
    path.write_text("sources: [", "utf-8")
    with pytest.raises(ConfigError, match="mend the file first"):
        sources_file.add(path, ENTRY)
    assert path.read_text("utf-8") == "sources: ["


def test_a_link_stays_a_link_and_the_mode_stays(tmp_path: Path) -> None:
    real, link = tmp_path / "real.yaml", tmp_path / "sources.yaml"
    real.write_text(TEXT, "utf-8")
    real.chmod(0o640)
    link.symlink_to(real)
    sources_file.add(link, ENTRY)
    assert link.is_symlink()
    assert real.stat().st_mode & 0o777 == 0o640
    assert "云岭-report" in real.read_text("utf-8")
