"""What a document is. One row of record_documents.yaml is one kind of document of an invented place."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.config import vocabulary
from monitor.model import Record
from monitor.targets.record import code_of, label, place_of, record

DATA = Path(__file__).parents[2] / "data" / "targets"
SEEDS = Path(__file__).parents[4] / "shared" / "seeds"
CASES = yaml.safe_load((DATA / "record_documents.yaml").read_text(encoding="utf-8"))
BODY = "要把道路修好，把学校办好，把山上的树种好。\n"


@pytest.mark.parametrize("case", CASES, ids=[c["name"] for c in CASES])
def test_record(case: dict[str, Any]) -> None:
    text = case["text"] + (BODY * (case["fill"] // len(BODY) + 1))[: case["fill"]] + case.get("end", "")
    got = asdict(record(case["title"], text, published=case.get("published")))
    assert {k: got[k] for k in case["record"]} == case["record"]


def test_series_tells_what_a_long_text_without_a_title_is() -> None:
    assert record(None, BODY * 300, series="政府工作报告").type == "report"
    assert record(None, BODY * 300).type == "other"


def test_publisher_names_the_place() -> None:
    assert record("政府工作报告", BODY, publisher="云岭区人民政府").place == "云岭区"


@pytest.mark.parametrize(
    ("opening", "place"),
    [
        ("各位代表：现在，我代表县人民政府，向大会报告工作。", None),
        ("各位代表：现在，我代表区人民政府，向大会报告工作。我代表区人民政府表示感谢。", None),
        ("各位代表：\n现在我代表县人民政府向大会报告\n", None),
        ("各位代表：我谨代表市人民政府，向大会报告工作。", None),
        ("我受县人民政府委托，向大会报告。我受县人民政府委托，向大会报告。", None),
        ("各位代表：现在，我代表云岭区人民政府，向大会报告工作。", "云岭区"),
        ("各位代表：现在，我代表青山县第十七届人民政府，向大会报告工作。", "青山县"),
        ("各位代表：我受松原新区人民政府委托，向大会报告", "松原新区"),
    ],
)
@pytest.mark.parametrize("title", [None, "政府工作报告"])
def test_who_speaks_is_no_part_of_a_name(opening: str, place: str | None, title: str | None) -> None:
    assert record(title, opening).place == place


def test_label() -> None:
    assert label(Record(year=2022, label="2022")) == "2022"
    assert label(Record(year=2022)) == "2022"
    assert label(Record(year=2022, label="2022"), "2022修订") == "2022修订"
    assert label(Record()) is None


@settings(max_examples=60, deadline=None)
@given(
    st.none() | st.text(max_size=40),
    st.text(alphabet="年月日会议第在20１二〇—政府工作报告各位代表市区县 \n", max_size=200),
)
def test_any_text_has_a_record(title: str | None, text: str) -> None:
    got = record(title, text, published="2022-13-99")
    assert got.type in ("report", "plan", "budget", "outline", "newspaper", "other")
    assert got.label == (str(got.year) if got.year else None)


def test_regions() -> None:
    regions = vocabulary().regions
    assert all(len(code) == 6 and code.isdigit() for code in regions)
    assert place_of("230103", regions) == "南岗区"
    assert [place_of(c, regions) for c in ("23", "2301", "230100")] == ["黑龙江省", "哈尔滨市", "哈尔滨市"]
    assert place_of("999999", regions) is None
    assert place_of(None, regions) is None
    assert code_of("南岗区", regions) == "230103"
    assert code_of("西安区", regions) is None  # in two cities
    assert code_of("西安区", regions, under="2310") == "231005"
    assert code_of(None, regions) is None


def test_every_county_has_its_city_and_province() -> None:
    regions = vocabulary().regions
    for code in regions:
        assert f"{code[:2]}0000" in regions
        assert code.endswith("0000") or f"{code[:4]}00" in regions


@pytest.mark.skipif(not SEEDS.is_dir(), reason="the shared documents are not beside the project")
@pytest.mark.parametrize(
    ("stem", "kind", "year", "complete"),
    [
        ("000", "newspaper", None, False),
        ("001", "report", 2022, True),
        ("002", "report", 2021, True),
        ("003", "report", 2017, False),
        ("004", "newspaper", None, False),
    ],
)
def test_seeds(stem: str, kind: str, year: int | None, complete: bool) -> None:
    text = next(SEEDS.glob(f"{stem}_*.txt")).read_bytes().decode("utf-8")
    got = record(None, text)
    assert (got.type, got.year, got.complete) == (kind, year, complete)
