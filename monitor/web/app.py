"""Pages and JSON over storage.queries: reading only. Nothing here changes anything.

Every answer carries a strict Content-Security-Policy; templates escape what pages said. Only names of this machine
are answered to (`Host`), so that a page elsewhere cannot read us through a name that resolves here.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from jinja2 import Environment, FileSystemLoader, select_autoescape
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from alerts import phrases, view
from monitor import wire
from monitor.errors import MubiaoError, StorageError, UsageError
from monitor.i18n import say
from monitor.i18n.web import TEXTS
from monitor.web.answers import API, PAGES, Answer, WronglyAskedError
from monitor.web.counts import Counts
from monitor.web.openapi import document
from monitor.web.status import Status
from storage.queries import Queries

HEADERS = [
    (b"content-security-policy", b"default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'self'"),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cache-control", b"no-store"),
]
ENVIRONMENT = Environment(
    loader=FileSystemLoader(Path(__file__).with_name("templates")),
    autoescape=select_autoescape(default=True),
    trim_blocks=True,
    lstrip_blocks=True,
)


def application(ask: Queries, status: Status, lang: str, *, pages: bool = True) -> Starlette:
    """The ASGI application of one daemon; without `pages`, of a worker, which only says how it is."""
    site = _Site(ask, status, lang)
    routes = [
        Route("/livez", site.livez),
        Route("/healthz", site.healthz),
        Route("/readyz", site.readyz),
        Route("/metrics", site.metrics),
    ]
    shown = [
        Route("/api/openapi.json", site.openapi),
        *(Route(f"/api/{name}", site.api(answer)) for name, answer in API.items()),
        *(Route(path, site.page(name, answer)) for path, (name, answer) in PAGES.items()),
    ]
    app = Starlette(routes=[*routes, *(shown if pages else ())], exception_handlers={MubiaoError: _refused})
    app.state.status, app.state.counts = status, site.counts
    app.add_middleware(_Guarded)
    return app


async def _refused(request: Request, error: Exception) -> Response:
    status = 400 if isinstance(error, WronglyAskedError) else 404 if isinstance(error, UsageError) else 503
    if not request.url.path.startswith("/api/"):  # a person asked
        return PlainTextResponse(f"{error}\n", status)
    return JSONResponse({"error": str(error)}, status)


class _Guarded:
    """Security headers on every answer, and no answer to a foreign Host."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        host = dict(scope["headers"]).get(b"host", b"").decode("latin-1")
        if not _ours(host, scope.get("server")):
            return await PlainTextResponse("unknown host\n", 421)(scope, receive, send)

        async def guarded(message: Any) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message["headers"], *HEADERS]}
            await send(message)

        await self._app(scope, receive, guarded)
        return None


def _ours(host: str, server: Any) -> bool:
    """An address literal, `localhost`, or the very address we listen on."""
    name = (urlsplit(f"//{host}").hostname or "").lower()
    if name in ("localhost", (server or ("",))[0]):
        return True
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


class _Site:
    def __init__(self, ask: Queries, status: Status, lang: str) -> None:
        self._ask, self._status, self._lang = ask, status, lang
        self.counts = Counts(ask)

    async def livez(self, request: Request) -> Response:
        """Whether the event loop turns: what a restart may mend."""
        return JSONResponse({"ok": True})

    async def healthz(self, request: Request) -> Response:
        """Whether all is well: the tick ran lately and no job is in trouble."""
        now = datetime.now(UTC)
        well = self._status.healthy(now)
        body = {"ok": well, "last_tick": wire.time(self._status.last_tick), "trouble": self._status.trouble}
        return JSONResponse(body, 200 if well else 503)

    async def readyz(self, request: Request) -> Response:
        """Whether the database answers."""
        await run_in_threadpool(partial(self._ask.alerts, limit=1))
        return JSONResponse({"ok": True})

    async def metrics(self, request: Request) -> Response:
        """Prometheus; what is counted in the database is left out while that does not answer."""
        try:
            found = await run_in_threadpool(self.counts.now)
        except StorageError:
            found = {}
        rows = {k: v for k, v in found.items() if isinstance(v, int)}
        return Response(self._status.metrics(rows), media_type="text/plain; version=0.0.4")

    async def openapi(self, request: Request) -> Response:
        """The description of /api."""
        return JSONResponse(document(API))

    def api(self, answer: Answer) -> Callable[[Request], Any]:
        """An endpoint that answers JSON."""

        async def endpoint(request: Request) -> Response:
            text = await run_in_threadpool(lambda: _written(answer(self._ask, request)))
            kind = StreamingResponse if isinstance(text, Iterator) else Response
            return kind(text, media_type="application/json; charset=utf-8")

        return endpoint

    def page(self, name: str, answer: Answer) -> Callable[[Request], Any]:
        """An endpoint that answers a page."""

        async def endpoint(request: Request) -> Response:
            wanted = request.query_params.get("lang")
            request.state.lang = lang = wanted if wanted in ("zh", "en") else self._lang
            status = self._status  # read here: it changes on the loop
            values = {"status": status, "well": status.healthy(datetime.now(UTC)), "trouble": dict(status.trouble)}
            try:
                return HTMLResponse(await run_in_threadpool(render, request, lang, values))
            except StorageError as wrong:
                values |= {"well": False, "wrong": str(wrong)}
                return HTMLResponse(await run_in_threadpool(render, request, lang, values), 503)

        def render(request: Request, lang: str, values: dict[str, Any]) -> str:
            """Not on the event loop: a thousand rows take longer than a check."""
            shown = "refused" if "wrong" in values else name
            found = None if "wrong" in values else _plain(answer(self._ask, request))
            values |= {"found": found, "say": partial(say, TEXTS, lang=lang), "lang": lang, "name": name}
            values |= {"query": dict(request.query_params), "pages": PAGES}
            values |= {"second": lambda at: f"{at.astimezone():%Y-%m-%d %H:%M:%S}"}
            values |= {"clock": _clock, "moved": partial(_moved, lang), "link": partial(_link, request)}
            values |= {"job_name": partial(_job_name, values["say"])}
            return ENVIRONMENT.get_template(f"{shown}.html").render(values)

        return endpoint


def _written(found: Any) -> str | Iterator[str]:
    """JSON. An answer that comes in parts, lists of rows, is written in parts: half a gigabyte is never held whole.

    The first part is read here, so that a database that refuses is still an error.
    """
    if not isinstance(found, Iterator):
        return wire.dump(_plain(found))
    return _parts(chain((next(found, []),), found))


def _parts(found: Iterator[list[Any]]) -> Iterator[str]:
    before = "["
    for part in found:
        if part:
            yield before + wire.dump(_plain(part))[1:-1]
            before = ","
    yield "]" if before == "," else "[]"


def _clock(at: str | None) -> str:
    """A time of the wire as people read it: the server's zone, to the minute."""
    return datetime.fromisoformat(at).astimezone().strftime("%Y-%m-%d %H:%M") if at else ""


def _job_name(words: Callable[..., str], job: str) -> str:
    """A job of the daemon that is in trouble, as people call it; "outbox desk" is the channel's own."""
    word, _, which = job.partition(" ")
    name = words(f"job.{word}") if f"job.{word}" in TEXTS else word
    return f"{name} {which}".strip()


def _link(request: Request, **other: str | None) -> str:
    """This page's address with these parameters in place of its own; None leaves one out."""
    kept = {k: v for k, v in {**request.query_params, **other}.items() if v}
    return f"{request.url.path}?{urlencode(kept)}"


def _moved(lang: str, lines: Sequence[phrases.Line]) -> list[view.Row]:
    """What moved, the most telling first, in the words of an alert."""
    return [view.row(line, lang) for line in phrases.ordered(lines)]


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return wire.time(value)
    if isinstance(value, Mapping):
        return {k: _plain(v) for k, v in value.items()}
    return [_plain(v) for v in value] if isinstance(value, list | tuple) else value
