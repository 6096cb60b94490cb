"""Files become documents and versions: of every encoding, in order of date, and only once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from monitor import config as configuration
from monitor import transfer
from monitor.errors import DecodeError, UsageError
from monitor.model import Config, Source
from storage import migrate
from storage.store import Store

NOW = datetime(2026, 1, 9, 1, 0, tzinfo=UTC)
AIM = "{}年主要预期目标是：地区生产总值增长{}%左右，固定资产投资增长8%，一般公共预算收入增长5%以上。"


@pytest.fixture
def bring(tmp_path: Path) -> Callable[..., list[dict[str, Any]]]:
    """`bring(path, …, release=…)`: import into one database, as source `yunling`."""
    url = f"sqlite:///{tmp_path}/mubiao.db"
    migrate.upgrade(url, NOW)

    def run(*files: Path, **told: str) -> list[dict[str, Any]]:
        source = transfer.import_source("yunling", None, region="999101", series=None)
        with Store(url) as store:
            words = configuration.vocabulary()
            return transfer.import_files(store, source, files, words, now=NOW, told=transfer.Told(**told))

    return run


def report(folder: Path, year: int, percent: float) -> Path:
    path = folder / f"{year}.txt"
    path.write_text(f"云岭区{year}年政府工作报告\n{AIM.format(year, percent)}\n", encoding="utf-8")
    return path


def test_documents_become_versions_in_order_of_their_year(bring: Callable[..., Any], tmp_path: Path) -> None:
    done = bring(report(tmp_path, 2026, 5), report(tmp_path, 2024, 7), report(tmp_path, 2025, 6))
    assert [row["release"] for row in done] == ["2024", "2025", "2026"]
    assert [row["version"] for row in done] == ["v1", "v2", "v3"]
    assert all(row["targets"] == 3 for row in done)


def test_importing_again_changes_nothing_and_an_edited_file_is_a_version(
    bring: Callable[..., Any], tmp_path: Path
) -> None:
    path = report(tmp_path, 2026, 5)
    assert [r["result"] for r in bring(path)] == ["new"]
    again = [(r["result"], r["version"], r["targets"], r["actuals"]) for r in bring(path)]
    assert again == [("unchanged", "v1", 3, 0)]  # what is stored, not what was new
    report(tmp_path, 2026, 4)
    assert [(r["result"], r["version"]) for r in bring(path)] == [("changed", "v2")]


def test_what_the_user_says_wins(bring: Callable[..., Any], tmp_path: Path) -> None:
    (row,) = bring(report(tmp_path, 2026, 5), release="2026修订", date="2026-02-03", url="http://yunling.example/r")
    assert row["release"] == "2026修订"
    with Store(f"sqlite:///{tmp_path}/mubiao.db") as store:
        last = store.load(1).last
        assert last is not None
        assert (last.at, last.url) == (datetime(2026, 2, 3, tzinfo=UTC), "http://yunling.example/r")


@pytest.mark.parametrize("told", [{"release": "2026"}, {"url": "http://yunling.example/r"}])
def test_one_label_is_for_one_document(bring: Callable[..., Any], tmp_path: Path, told: dict[str, str]) -> None:
    with pytest.raises(UsageError):
        bring(report(tmp_path, 2026, 5), report(tmp_path, 2025, 5), **told)


def test_a_folder_is_walked_for_what_can_be_read(bring: Callable[..., Any], tmp_path: Path) -> None:
    folder = tmp_path / "archive" / "deep"
    folder.mkdir(parents=True)
    report(folder, 2025, 6)
    (folder / "picture.png").write_bytes(b"\x89PNG")
    assert [Path(row["path"]).name for row in bring(tmp_path / "archive")] == ["2025.txt"]
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match="nothing to import"):
        bring(tmp_path / "empty")


def test_a_file_of_a_folder_that_cannot_be_read_stops_no_other(bring: Callable[..., Any], tmp_path: Path) -> None:
    folder = tmp_path / "archive"
    folder.mkdir()
    report(folder, 2025, 6)
    (folder / "a.pdf").write_bytes(b"plain words")
    (folder / "b.txt").write_bytes(b"")
    good, *failed = bring(folder)
    assert (good["result"], Path(good["path"]).name) == ("new", "2025.txt")
    assert [(Path(row["path"]).name, row["result"]) for row in failed] == [("a.pdf", "failed"), ("b.txt", "failed")]
    assert failed[1]["why"] == "there is no text in it"
    with pytest.raises(DecodeError, match=r"a\.pdf"):  # named itself: nothing is kept of the others
        bring(folder / "a.pdf", report(folder, 2024, 6))
    (folder / "2025.txt").unlink()
    (folder / "2024.txt").unlink()
    with pytest.raises(UsageError, match=r"nothing to import: .*a\.pdf: no"):
        bring(folder)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_offsets_count_in_the_decoded_file(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "a.txt"
    text = f"云岭区2026年政府工作报告\r\n{AIM.format(2026, 5)}\r\n"
    path.write_bytes(text.encode(encoding))
    raw, about = transfer.raw_text(path, configuration.vocabulary().text)
    assert raw.lstrip("\ufeff") == text
    assert about.title == "云岭区2026年政府工作报告"


@pytest.mark.parametrize(
    ("name", "body", "error"),
    [
        ("a.pdf", b"%PDF-1.4", DecodeError),
        ("a.pdf", b"plain words", DecodeError),
        ("a.docx", b"PK", DecodeError),
        ("a.warc.gz", b"", UsageError),
        ("a.txt", bytes(range(256)) * 9, DecodeError),
        ("a.txt", bytes(range(64)) * 9, DecodeError),  # valid UTF-8
        ("missing.txt", None, FileNotFoundError),
    ],
)
def test_what_cannot_be_read_is_refused(tmp_path: Path, name: str, body: bytes | None, error: type[Exception]) -> None:
    if body is not None:
        (tmp_path / name).write_bytes(body)
    with pytest.raises(error):
        transfer.document(tmp_path / name, configuration.vocabulary().text)
    with pytest.raises(error):
        transfer.raw_text(tmp_path / name, configuration.vocabulary().text)


def test_html_without_a_telling_name_is_found_out(tmp_path: Path, page_of: Callable[..., str]) -> None:
    path = tmp_path / "saved"
    path.write_text("<!-- saved -->\n<!DOCTYPE html>" + page_of("报告", AIM.format(2026, 5)), encoding="utf-8")
    assert transfer.document(path, configuration.vocabulary().text).paragraphs == (AIM.format(2026, 5),)
    assert not transfer.looks_html("云岭区 <b>报告</b>")


def test_a_configured_source_keeps_what_it_is() -> None:
    known = Source("yunling", "http://yunling.example/", region="999101", series="政府工作报告")
    assert transfer.import_source("yunling", Config((known,)), region=None, series=None) == known
    made = transfer.import_source("other", Config((known,)), region="999102", series=None)
    assert (made.region, made.enabled) == ("999102", False)


# --------------------------------------------------------------------------- PDF, Word and the like


@pytest.mark.parametrize("kind", ["pdf", "docx", "ofd", "xlsx", "mhtml", "html.doc"])
def test_files_are_read_by_their_bytes(tmp_path: Path, made: Any, kind: str) -> None:
    lines = ("云岭区2026年政府工作报告", AIM.format(2026, 5))
    html = f"<html><head><title>{lines[0]}</title></head><body><h1>{lines[0]}</h1><p>{lines[1] * 3}</p></body></html>"
    bodies = {
        "pdf": made.pdf(*made.wrapped(lines)),
        "docx": made.docx(*lines),
        "ofd": made.ofd(*made.wrapped(lines)),
        "xlsx": made.xlsx(("一", [[line] for line in lines])),
        "mhtml": b"MIME-Version: 1.0\r\nContent-Type: text/html; charset=utf-8\r\n\r\n" + html.encode(),
        "html.doc": html.encode("gb18030"),
    }
    path = tmp_path / "a.doc"  # what old offices call everything
    path.write_bytes(bodies[kind])
    found = transfer.document(path, configuration.vocabulary().text)
    assert found.title == lines[0]
    assert lines[1] in found.text
    assert transfer.raw_text(path, configuration.vocabulary().text)[0] == found.text


def test_a_pdf_becomes_a_version_and_is_compared(bring: Callable[..., Any], tmp_path: Path, made: Any) -> None:
    report(tmp_path, 2025, 6)
    (tmp_path / "2026.pdf").write_bytes(made.pdf(*made.wrapped(["云岭区2026年政府工作报告", AIM.format(2026, 5)])))
    first, second = bring(tmp_path)
    assert [row["result"] for row in (first, second)] == ["new", "new"]
    assert (second["release"], second["targets"], second["compared_with"]) == (
        "2026",
        first["targets"],
        first["version"],
    )


def test_a_scan_is_not_imported_as_nothing(bring: Callable[..., Any], tmp_path: Path, made: Any) -> None:
    (tmp_path / "a.pdf").write_bytes(made.pdf([], image=True))
    with pytest.raises(UsageError, match="no text layer"):
        bring(tmp_path / "a.pdf")
