"""What of a configuration is noticed when it is written: all that it was read from, at whatever moment."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitor import config as configuration
from monitor.errors import ConfigError
from monitor.following import Follower
from monitor.model import Config

SOURCES = "sources:\n  - {key: %s, url: 'http://www.yunling.example/'}\n"


async def kept(config: Config) -> None:
    """A taking over that does nothing."""


async def noticed(follower: Follower) -> bool:
    """Whether a look finds something, as soon as what was written stands."""
    await follower.look()
    return await follower.look()


def keys(config: Config) -> list[str]:
    return [source.key for source in config.sources]


@pytest.fixture
def main(tmp_path: Path) -> Path:
    path = tmp_path / "sources.yaml"
    path.write_text(SOURCES % "first", encoding="utf-8")
    return path


async def test_what_is_written_before_the_first_look_is_noticed(main: Path) -> None:
    """A worker may wait for its database for an hour after it read the file."""
    config = configuration.load(main)
    main.write_text(SOURCES % "second", encoding="utf-8")
    follower = Follower(config, kept)
    assert await noticed(follower)
    assert await follower.reload()
    assert keys(follower.config) == ["second"]
    assert not await noticed(follower)


async def test_what_is_written_while_another_is_taken_over_is_noticed(main: Path) -> None:
    """A second thought within the seconds that a national file takes."""

    async def slowly(config: Config) -> None:
        if keys(config) == ["second"]:
            main.write_text(SOURCES % "third", encoding="utf-8")

    follower = Follower(configuration.load(main), slowly)
    main.write_text(SOURCES % "second", encoding="utf-8")
    await follower.reload()
    assert await noticed(follower)
    await follower.reload()
    assert keys(follower.config) == ["third"]
    assert not await noticed(follower)


async def test_the_first_file_in_an_empty_folder_is_noticed_and_its_mended_mistake(main: Path) -> None:
    folder = main.parent / "sources.d"
    folder.mkdir()
    main.write_text("include: [sources.d/*.yaml]\n" + SOURCES % "first", encoding="utf-8")
    follower = Follower(configuration.load(main), kept)
    assert not await noticed(follower)
    (folder / "more.yaml").write_text("sources: [", encoding="utf-8")
    assert await noticed(follower)
    with pytest.raises(ConfigError):
        await follower.reload()
    assert not await noticed(follower)
    (folder / "more.yaml").write_text(SOURCES % "second", encoding="utf-8")
    assert await noticed(follower)
    await follower.reload()
    assert sorted(keys(follower.config)) == ["first", "second"]


async def test_a_file_of_its_own_name_is_followed_and_its_folder_is_not(main: Path) -> None:
    """A feed or a database beside it is written all the time."""
    other = main.parent / "other.yaml"
    other.write_text(SOURCES % "second", encoding="utf-8")
    main.write_text("include: other.yaml\n" + SOURCES % "first", encoding="utf-8")
    follower = Follower(configuration.load(main), kept)
    (main.parent / "alerts.atom").write_text("", encoding="utf-8")
    assert not await noticed(follower)
    other.unlink()
    assert await noticed(follower)


async def test_a_template_of_messages_is_noticed(main: Path) -> None:
    folder = main.parent / "words"
    folder.mkdir()
    (folder / "change.txt").write_text("one", encoding="utf-8")
    main.write_text("templates: words\n" + SOURCES % "first", encoding="utf-8")
    follower = Follower(configuration.load(main), kept)
    (folder / "change.txt").write_text("another", encoding="utf-8")
    assert await noticed(follower)
