"""The web side of a running daemon: started on its event loop, stopped with it."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import socket
from collections.abc import Iterator

import uvicorn

from monitor.errors import UsageError
from monitor.web.app import application
from monitor.web.status import Status
from storage.queries import Queries


def reserved(host: str, port: int) -> socket.socket:
    """An address that is ours from here on, for `Web.start`; `port` 0 takes a free one. Nothing is answered yet.

    Taken before a database is touched: who cannot listen leaves nothing behind. Raises UsageError.
    """
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as wrong:
        listener.close()
        raise _refused(host, port, wrong) from wrong
    return listener


def _refused(host: str, port: int, wrong: OSError) -> UsageError:
    place = _written(host, port)
    if wrong.errno == errno.EADDRINUSE:
        return UsageError(f"{place} is taken, maybe by a daemon that runs already (--port takes another, 0 a free one)")
    if wrong.errno == errno.EACCES:
        return UsageError(f"cannot listen on {place}: {wrong.strerror} (--port above 1023 needs no privileges)")
    return UsageError(f"cannot listen on {place}: {wrong.strerror} (--host takes an address of this machine)")


def _written(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


class _Server(uvicorn.Server):
    """uvicorn without its signal handlers: the daemon alone decides when to stop."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class Web:
    """Pages and JSON over a read-only connection; without `pages` only what says how the process is."""

    def __init__(self, database: str, status: Status, lang: str, *, pages: bool = True) -> None:
        self._ask = Queries(database, pooled=True)
        self._app = application(self._ask, status, lang, pages=pages)
        self._server: _Server | None = None
        self._task: asyncio.Task[None] | None = None
        self.port, self.address = 0, ""  # where it answers, once it does: http://127.0.0.1:8750

    async def start(self, listener: socket.socket) -> None:
        """Answer at a `reserved` address. Raises UsageError where another one that had reserved it was faster."""
        self._ask.open()
        host, self.port = listener.getsockname()[:2]
        try:
            listener.listen()  # from here on nobody is refused, though the server still starts
        except OSError as wrong:
            listener.close()
            raise _refused(host, self.port, wrong) from wrong
        self.address = f"http://{_written(host, self.port)}"
        config = uvicorn.Config(
            self._app, log_config=None, access_log=False, lifespan="off", timeout_graceful_shutdown=3
        )
        self._server = _Server(config)
        self._task = asyncio.create_task(self._server.serve([listener]))

    async def stop(self) -> None:
        """Finish running answers and close."""
        if self._server is not None and self._task is not None:
            self._server.should_exit = True
            await self._task
        self._ask.close()


__all__ = ["Status", "Web", "reserved"]
