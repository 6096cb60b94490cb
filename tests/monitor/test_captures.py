"""Web archives in and out: captures become versions in order of date, once; kept bodies come back as they were."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from warcio.archiveiterator import ArchiveIterator
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter
from zstandard import compress

from monitor.i18n.dataset import TEXTS

URL = "http://yunling.example/report.html"
GOAL = "二〇二六年主要预期目标：地区生产总值增长{}%左右，城镇新增就业1.2万人，居民收入与经济增长同步。"


def archive(path: Path, *captures: tuple[str, str, bytes, str]) -> Path:
    """A WARC file of (date, address, body, status)."""
    with path.open("wb") as file:
        writer = WARCWriter(file, gzip=path.suffix == ".gz")
        writer.write_record(writer.create_warcinfo_record(path.name, {"software": "test"}))
        for date, url, body, status in captures:
            head = StatusAndHeaders(status, [("Content-Type", "text/html; charset=utf-8")], protocol="HTTP/1.1")
            dated = {"WARC-Date": date}
            made = writer.create_warc_record(
                url, "response", payload=io.BytesIO(body), length=len(body), http_headers=head, warc_headers_dict=dated
            )
            writer.write_record(made)
    return path


def monthly(pages: list[bytes]) -> list[tuple[str, str, bytes, str]]:
    return [(f"2026-0{n}-01T00:00:00Z", URL, body, "200 OK") for n, body in enumerate(pages, 1)]


@pytest.fixture
def pages(page_of: Any) -> list[bytes]:
    more = "全区上下要坚定信心，真抓实干，把各项工作任务落到实处，推动高质量发展取得新的成效。"
    return [page_of("2026年政府工作报告", GOAL.format(n), more * 4).encode() for n in (6, 5, 5.5)]


def test_captures_become_versions_in_order_of_date_and_only_once(desk: Any, tmp_path: Path, pages: list[bytes]) -> None:
    late = ("2026-03-01T00:00:00Z", URL, pages[2], "200 OK")
    early = [
        ("2026-02-01T00:00:00Z", URL, pages[1], "200 OK"),
        ("2026-01-01T00:00:00Z", URL, pages[0], "200 OK"),
        ("2026-01-15T00:00:00Z", URL, b"<html>gone</html>", "404 Not Found"),
        ("2026-01-20T00:00:00Z", "http://yunling.example/x.html", b"<html><body></body></html>", "200 OK"),
    ]
    first = archive(tmp_path / "a.warc.gz", *early)
    done = desk.run("import", first, "--source", "old", "--json")
    assert (done.code, [r["result"] for r in done.json["imported"]]) == (0, ["new", "failed", "changed"])
    both = archive(tmp_path / "b.warc", *early, late)
    again = desk.run("import", both, "--source", "old", "--json").json["imported"]
    assert [r["result"] for r in again] == ["known", "failed", "known", "changed"], "as after a kill: it goes on"
    history = desk.run("history", URL, "--json").json
    assert [row["at"][:10] for row in history] == ["2026-03-01", "2026-02-01", "2026-01-01"]
    assert [c["kind"] for c in desk.run("changes", "--baseline", "--json").json] == ["content", "content", "new"]
    assert desk.run("alerts", "list", "--json").json == []


def test_kept_bodies_come_out_as_they_were_and_go_in_again(desk: Any, tmp_path: Path, pages: list[bytes]) -> None:
    made = archive(
        tmp_path / "a.warc.gz", *((f"2026-0{n}-01T00:00:00Z", URL, b, "200 OK") for n, b in enumerate(pages, 1))
    )
    assert desk.run("import", made, "--source", "old").code == 0
    out = tmp_path / "out.warc.gz"
    assert desk.run("export", "warc", "--out", out).code == 0
    with out.open("rb") as file:
        records = [
            (r.rec_type, r.rec_headers.get_header("WARC-Target-URI"), r.content_stream().read())
            for r in ArchiveIterator(file)
        ]
    assert records == [("resource", URL, body) for body in pages]
    assert [r["result"] for r in desk.run("import", out, "--source", "new", "--json").json["imported"]] == [
        "new", "changed", "changed",
    ]  # fmt: skip


def test_what_is_no_archive_or_holds_nothing_is_refused_in_a_line(desk: Any, tmp_path: Path) -> None:
    (tmp_path / "x.warc").write_bytes(b"no archive at all")
    for arguments, says in (
        ((tmp_path / "x.warc",), "no WARC file|no capture"),
        ((archive(tmp_path / "e.warc"),), "no capture of a page"),
        ((archive(tmp_path / "f.warc"), "--release", "2022"), "--release and --date"),
    ):
        done = desk.run("import", *arguments, "--source", "old")
        assert done.code == 2 and len(done.err.splitlines()) == 1
        assert any(word in done.err for word in says.split("|"))


def test_tables_come_with_a_dictionary_and_parquet_says_the_same_as_json(
    desk: Any, tmp_path: Path, pages: list[bytes]
) -> None:
    made = archive(
        tmp_path / "a.warc", *((f"2026-0{n}-01T00:00:00Z", URL, b, "200 OK") for n, b in enumerate(pages, 1))
    )
    assert desk.run("import", made, "--source", "old", "--region", "990102").code == 0
    for what in ("changes", "versions", "targets", "panel"):
        plain, table = tmp_path / f"{what}.jsonl", tmp_path / f"{what}.parquet"
        assert desk.run("export", what, "--out", plain).code == 0
        assert desk.run("export", what, "--format", "parquet", "--out", table).code == 0
        rows = [json.loads(line) for line in plain.read_text(encoding="utf-8").splitlines()]
        told = json.loads((tmp_path / f"{what}.jsonl.dictionary.json").read_text(encoding="utf-8"))
        read = pq.read_table(table).to_pylist()
        assert told["rows"] == len(rows) == len(read) > 0
        names = [column["name"] for column in told["columns"]]
        assert set(names) == set(rows[0]) == set(read[0]) and set(names) <= set(TEXTS), what
        for one, other in zip(rows, read, strict=True):
            cells = {k: v if isinstance(v, str | int | float | None) else json.loads(other[k]) for k, v in one.items()}
            assert {k: other[k] for k, v in one.items() if isinstance(v, str | int | float | None)} == {
                k: v for k, v in one.items() if isinstance(v, str | int | float | None)
            }
            assert cells == one
    [growth] = [r for r in rows if r["indicator_id"] == "gdp"]
    assert (growth["region"], growth["period"], growth["target"], growth["actual"]) == ("990102", "2026", 5.5, None)


def test_the_dictionary_of_csv_has_the_columns_of_the_file(desk: Any, tmp_path: Path, pages: list[bytes]) -> None:
    made = archive(tmp_path / "a.warc", ("2026-01-01T00:00:00Z", URL, pages[0], "200 OK"))
    assert desk.run("import", made, "--source", "old").code == 0
    table = tmp_path / "versions.csv"
    assert desk.run("export", "versions", "--format", "csv", "--out", table).code == 0
    with table.open(encoding="utf-8", newline="") as file:
        head = next(csv.reader(file))
    told = json.loads((tmp_path / "versions.csv.dictionary.json").read_text(encoding="utf-8"))
    assert [column["name"] for column in told["columns"]] == head and "record_year" in head
    assert sorted(x.name for x in tmp_path.glob("versions.*")) == ["versions.csv", "versions.csv.dictionary.json"]
    plain = table.read_bytes()
    assert desk.run("export", "versions", "--format", "csv", "--bom", "--out", table).code == 0
    assert table.read_bytes() == b"\xef\xbb\xbf" + plain  # Excel takes it for GBK otherwise
    assert desk.run("export", "versions", "--format", "csv", "--bom").out.startswith("\ufeffversion,")
    assert desk.run("export", "versions", "--bom").code == 2


def test_a_damaged_body_costs_its_record_alone(desk: Any, tmp_path: Path, pages: list[bytes]) -> None:
    made = archive(
        tmp_path / "a.warc", *((f"2026-0{n}-01T00:00:00Z", URL, b, "200 OK") for n, b in enumerate(pages, 1))
    )
    assert desk.run("import", made, "--source", "old").code == 0
    with closing(sqlite3.connect(desk.folder / "data/mubiao.db")) as file, file:
        newest = "(SELECT raw_sha256 FROM version ORDER BY id DESC LIMIT 1)"
        file.execute(f"UPDATE blob SET data = x'00' WHERE sha256 = {newest}")
    done = desk.run("export", "warc", "--out", tmp_path / "out.warc")
    assert done.code == 1 and f"v{len(pages)}" in done.err
    with (tmp_path / "out.warc").open("rb") as written:
        assert len(list(ArchiveIterator(written))) == len(pages) - 1


def test_half_a_character_in_a_kept_text_stops_no_answer(desk: Any, tmp_path: Path, pages: list[bytes]) -> None:
    made = archive(tmp_path / "a.warc", ("2026-01-01T00:00:00Z", URL, pages[0], "200 OK"))
    assert desk.run("import", made, "--source", "old").code == 0
    said = "云岭区\ud800政府工作报告".encode("utf-8", "surrogatepass")
    name = hashlib.sha256(said).digest()
    with closing(sqlite3.connect(desk.folder / "data/mubiao.db")) as file, file:
        file.execute("INSERT INTO blob (sha256, size, data) VALUES (?, ?, ?)", [name, len(said), compress(said)])
        file.execute("UPDATE version SET sha256 = ?, items_sha256 = NULL", [name])
    shown, _ = desk.spawn("show", "v1", "--json").communicate(timeout=20)
    assert json.loads(shown)["text"] == "云岭区\ud800政府工作报告"
    for form in ("jsonl", "csv", "parquet"):
        assert desk.run("export", "versions", "--format", form, "--out", tmp_path / f"x.{form}").code == 0, form
    assert json.loads((tmp_path / "x.jsonl").read_text(encoding="utf-8"))["text"] == "云岭区\ud800政府工作报告"
