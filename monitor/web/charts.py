"""The chart of one indicator on the page of targets: promise against result, drawn into the page."""

from __future__ import annotations

from dataclasses import replace

from markupsafe import Markup

from monitor import wire
from monitor.i18n import Lang, say
from monitor.i18n.web import TEXTS
from monitor.targets import chart, measure
from storage.answers import Item
from storage.filters import Filter
from storage.queries import Queries

MOST_PANELS = 6  # a word that fits many indicators gives a table, not a wall of charts
MOST_ROWS = 400  # that are read to see which places come first


def drawn(ask: Queries, wanted: Filter, lang: Lang) -> Markup | None:
    """Every release of what is asked for; None where no indicator is named, or nothing can be drawn.

    The drawing holds no text of a page unescaped, and no script (the policy of the page forbids it anyway).
    """
    if not wanted.indicator:
        return None
    found = _first_places(ask, replace(wanted, all_releases=True, since=None))
    rows = [wire.stored_target(x) | {"number": measure.number(x.target)} for x in found if not x.copy]
    said = {k: say(TEXTS, f"chart.{k}", lang) for k in ("promise", "result", "estimate", "nothing")}
    words = chart.Words(**said, kinds={k: say(TEXTS, f"chart.{k}", lang) for k in ("growth", "share", "change")})
    panels = chart.panels(rows, words)
    return Markup(chart.svg(panels[:MOST_PANELS], words)) if panels else None  # noqa: S704 — see above


def _first_places(ask: Queries, wanted: Filter) -> list[Item]:
    """Everything of one place; of many places all of the first ones, for a drawing shows no more."""
    if wanted.source or wanted.region:
        return ask.targets(wanted)
    found = ask.targets(wanted, limit=MOST_ROWS)
    places = dict.fromkeys(item.region for item in found if item.region)
    if len(found) < MOST_ROWS or not places:
        return found
    first = list(places)[:MOST_PANELS]
    return [item for place in first for item in ask.targets(replace(wanted, region=place, under=None))]
