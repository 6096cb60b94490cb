"""Every word that a comparison can say is there in both languages, with the same places to fill."""

from __future__ import annotations

import re
from typing import get_args

import pytest

from monitor.i18n.targets import TEXTS
from monitor.targets.attainment import REASONS, Reason
from monitor.targets.compare import FLAGS, Label


@pytest.mark.parametrize("key", sorted(TEXTS))
def test_both_languages_fill_the_same_places(key: str) -> None:
    zh, en = TEXTS[key]
    assert zh and en
    places = set(re.findall(r"\{(\w+)\}", zh)), set(re.findall(r"\{(\w+)\}", en))
    assert places[0] == places[1]


def test_nothing_that_can_be_said_has_no_words() -> None:
    changes = get_args(Label)
    wanted = {f"flag.{f}" for f in FLAGS} | {f"change.{c}" for c in changes} | {f"reason.{r}" for r in REASONS}
    wanted |= {f"relation.{r}" for r in ("next_release", "edit", "quote", "copy")}
    assert wanted <= set(TEXTS)
    assert set(REASONS) == set(get_args(Reason))
