"""Numbers, however they are written."""

import json
from pathlib import Path

import pytest
import yaml

from monitor.targets import numbers

ROOT = Path(__file__).resolve().parents[3]
CASES = yaml.safe_load((ROOT / "tests/data/targets/numbers.yaml").read_text(encoding="utf-8"))
SUITE = ROOT.parent / "shared/gold/numbers"
# Powers, slashes and Latin multipliers are no way a Chinese report writes a number.
FOREIGN = set("^/kKmM")


@pytest.mark.parametrize(("token", "value"), CASES["numbers"].items())
def test_number(token: str, value: float) -> None:
    assert numbers.read(token) == pytest.approx(value)


@pytest.mark.parametrize(("token", "value"), CASES["percents"].items())
def test_percent(token: str, value: float) -> None:
    assert numbers.percent(token) == pytest.approx(value)


@pytest.mark.parametrize("token", CASES["nothing"])
def test_no_number(token: str) -> None:
    assert numbers.read(token) is None


def test_folding_keeps_every_offset() -> None:
    text = "\ufeffＧＤＰ：增长５．５％，\u3000约（含）１０００万\r\n"
    assert len(numbers.fold(text)) == len(text)
    assert "5.5%" in numbers.fold(text)


@pytest.mark.parametrize(("name", "floor"), [("NumberModel", 0.98), ("PercentModel", 0.95)])
def test_outside_suite(name: str, floor: float) -> None:
    path = SUITE / f"{name}.json"
    if not path.exists():
        pytest.skip("needs ../shared/gold/numbers (Recognizers-Text cases)")
    reader = numbers.percent if name == "PercentModel" else numbers.read
    tried = right = 0
    for case in json.loads(path.read_text(encoding="utf-8-sig")):
        for result in case["Results"]:
            if FOREIGN & set(result["Text"]):
                continue
            wanted, got = float(result["Resolution"]["value"].rstrip("%")), reader(result["Text"])
            tried += 1
            right += got is not None and got == pytest.approx(wanted, rel=1e-6)
    assert right / tried >= floor, f"{right} of {tried}"
