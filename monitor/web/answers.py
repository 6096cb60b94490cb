"""What the pages and /api answer: one function for each, of a database and a request. Raises UsageError."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from starlette.requests import Request

from monitor import wire
from monitor.errors import UsageError
from monitor.model import Overdue
from monitor.times import moment
from monitor.web import charts
from storage.filters import Filter
from storage.queries import Queries
from storage.watchlist import STATES, Listing

PAGE = 100  # rows of one page
MOST = 1000
WORDS = 8  # of one search
FEW = 10  # failing pages and overdue releases on the start page: the others stand among the sources

Answer = Callable[[Queries, Request], Any]


class WronglyAskedError(UsageError):
    """A parameter that cannot be read; the other UsageErrors are about what is not there."""


def _filter(request: Request) -> Filter:
    """Filters of the address. Raises WronglyAskedError for a time that is none."""
    given = request.query_params
    try:
        since = moment(given["since"], datetime.now(UTC)) if given.get("since") else None
        least = float(given.get("min_significance") or 0)
    except UsageError as wrong:
        raise WronglyAskedError(f"since: {wrong}") from wrong
    except ValueError as wrong:
        raise WronglyAskedError(f"min_significance: {given['min_significance']!r} is no number (0.5)") from wrong
    return Filter(
        source=given.get("source") or None,
        region=given.get("region") or None,
        under=given.get("under") or None,
        indicator=given.get("indicator") or None,
        role=given.get("role") or None,
        kind=given.get("kind") or None,
        scope=given.get("scope") or None,
        series=given.get("series") or None,
        headline=True if given.get("headline") in ("1", "true", "on") else None,
        release=given.get("release") or None,
        since=since,
        min_significance=least,
    )


def _limit(request: Request) -> int:
    text = request.query_params.get("limit", "")
    return min(int(text), MOST) if text.isdecimal() else PAGE


def _changes(ask: Queries, request: Request) -> Any:
    before = request.query_params.get("before")
    return [wire.change(c) for c in ask.changes(_filter(request), limit=_limit(request), before=before)]


def _targets(ask: Queries, request: Request) -> Any:
    return [wire.stored_target(item) for item in ask.targets(_filter(request), limit=_limit(request))]


def _targets_page(ask: Queries, request: Request) -> Any:
    drawing = charts.drawn(ask, _filter(request), request.state.lang)
    return {"rows": _targets(ask, request), "chart": drawing}


def _missed(request: Request) -> dict[str, Overdue]:
    return {key: late for late in request.app.state.status.overdue for key in late.sources}


def _listing(request: Request, missed: Mapping[str, Overdue]) -> Listing:
    """Which sources the address asks for, all of them at once. Raises WronglyAskedError for a state that is none."""
    given = request.query_params
    state = given.get("state") or None
    if state not in (None, "overdue", *STATES):
        raise WronglyAskedError(f"state: {state!r} is none of {', '.join(('overdue', *STATES))}")
    return Listing(
        state=None if state == "overdue" else state,
        words=tuple(given.get("q", "").split()[:WORDS]),
        under=given.get("under") or None,
        keys=missed.keys() if state == "overdue" else None,
        after=given.get("after") or None,
        before=given.get("before") or None,
    )


def _sources(ask: Queries, request: Request) -> Any:
    """All of them, in parts, unless a `limit` is given."""
    missed = _missed(request)
    wanted = replace(_listing(request, missed), before=None)
    if request.query_params.get("limit"):
        return [wire.state(row, missed) for row in ask.sources(replace(wanted, limit=_limit(request)))]
    return ([wire.state(row, missed) for row in part] for part in ask.all_sources(wanted))


def _sources_page(ask: Queries, request: Request) -> Any:
    """One page of the list; `before` and `after` are the keys that the pages before and after it are asked with."""
    missed, limit = _missed(request), max(_limit(request), 1)
    wanted = _listing(request, missed)
    backwards = wanted.before is not None
    found = ask.sources(replace(wanted, after=None if backwards else wanted.after, limit=limit + 1))
    more = len(found) > limit
    rows = found[1:] if more and backwards else found[:limit]
    return {
        "rows": [wire.state(row, missed) for row in rows],
        "before": rows[0]["key"] if rows and (more if backwards else wanted.after) else None,
        "after": rows[-1]["key"] if rows and (more or backwards) else None,
        "states": ("overdue", *STATES),
    }


def _history(ask: Queries, request: Request) -> Any:
    return ask.history(_needed(request, "of"), limit=_limit(request))


def _show(ask: Queries, request: Request) -> Any:
    return ask.show(_needed(request, "version"))


def _search(ask: Queries, request: Request) -> Any:
    query = request.query_params.get("q", "").strip()
    return ask.search(query, _filter(request), limit=_limit(request)) if query else []


def _alerts(ask: Queries, request: Request) -> Any:
    return [wire.alert(row) for row in ask.alerts(request.query_params.get("state"), limit=_limit(request))]


def _failures(ask: Queries, request: Request) -> Any:
    """All of them, unless a `limit` is given."""
    return _failing(ask, _limit(request) if request.query_params.get("limit") else None)


def _failing(ask: Queries, limit: int | None) -> list[wire.JSON]:
    return [wire.failure(page, page.failure) for page in ask.failures(limit) if page.failure]


def _system(ask: Queries, request: Request) -> Any:
    return request.app.state.counts.now() | {"overdue": len(request.app.state.status.overdue)}


def _overdue(ask: Queries, request: Request) -> Any:
    return [wire.missed(late) for late in request.app.state.status.overdue]


def _home(ask: Queries, request: Request) -> Any:
    limit = max(_limit(request), 1)
    changes = ask.changes(_filter(request), limit=limit + 1, before=request.query_params.get("before"))
    return {
        "changes": [wire.change(c) for c in changes[:limit]],
        "older": changes[limit - 1].id if len(changes) > limit else None,
        "failures": _failing(ask, FEW),
        "overdue": _overdue(ask, request)[:FEW],
        "system": _system(ask, request),
    }


def _needed(request: Request, name: str) -> str:
    value = request.query_params.get(name)
    if not value:
        raise WronglyAskedError(f"say which: ?{name}=")
    return value


API: Mapping[str, Answer] = {
    "changes": _changes,
    "targets": _targets,
    "sources": _sources,
    "history": _history,
    "show": _show,
    "search": _search,
    "alerts": _alerts,
    "failures": _failures,
    "overdue": _overdue,
    "status": _system,
}
PAGES: Mapping[str, tuple[str, Answer]] = {
    "/": ("home", _home),
    "/targets": ("targets", _targets_page),
    "/sources": ("sources", _sources_page),
    "/search": ("search", _search),
    "/alerts": ("alerts", _alerts),
    "/system": ("system", _system),
}
