from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from alerts import sets
from monitor.model import Change


@pytest.mark.parametrize(
    ("fields", "line", "expected"),
    [
        ({"kind": "content"}, ("raised", {}), "instant-default"),
        ({"kind": "content"}, ("reworded", {"flags": ("softened",)}), "instant-default"),
        ({"kind": "content"}, ("reworded", {}), "weekly-default"),
        ({"kind": "content"}, ("raised", {"side": {"role": "actual"}}), "weekly-default"),
        ({"kind": "content"}, None, "weekly-default"),
        ({"kind": "reverted"}, ("lowered", {}), "instant-default"),
        ({"kind": "removed"}, None, "instant-default"),
        ({"kind": "attachment"}, None, "instant-default"),
        ({"kind": "new", "compared_with": "v3"}, ("dropped", {}), "instant-default"),
        ({"kind": "new"}, ("new", {}), "weekly-default"),  # nothing to compare it with
        ({"kind": "new", "compared_with": "v3"}, ("reworded", {"relation": "quote", "flags": ("differs",)}),
         "instant-default"),
        ({"kind": "new", "compared_with": "v3"}, ("reworded", {"relation": "quote"}), "weekly-default"),
        ({"kind": "new", "compared_with": "v3"}, ("unchanged", {"relation": "copy"}), None),
        ({"kind": "new", "copy_of": "v3"}, None, None),
        ({"kind": "cosmetic"}, None, None),
        ({"kind": "restored"}, None, "weekly-default"),
    ],
)  # fmt: skip
def test_each_change_is_in_one_set_or_none(world: Any, fields: dict[str, Any], line: Any, expected: str | None) -> None:
    change: Change = replace(
        world.change, targets=(), compared_with=None, **{k: v for k, v in fields.items() if k == "kind"}
    )
    change = replace(change, compared_with=fields.get("compared_with"), copy_of=fields.get("copy_of"))
    if line is not None:
        word, more = line
        flags, relation = more.get("flags", ()), more.get("relation", "next_release")
        moved = world.moved("地区生产总值", word, "6%", "5.5%", **({"side": more["side"]} if "side" in more else {}))
        change = replace(change, targets=(replace(moved, flags=flags, relation=relation),))
    assert sets.of(change) == expected
