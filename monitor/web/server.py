"""The web side of a running daemon: started on its event loop, stopped with it."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Iterator

import uvicorn

from monitor.errors import UsageError
from monitor.web.app import application
from monitor.web.status import Status
from storage.queries import Queries


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
        self.port = 0

    async def start(self, host: str, port: int) -> None:
        """Listen; `port` 0 takes a free one. Raises UsageError where the address is taken."""
        self._ask.open()
        listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, port))
            listener.listen()  # from here on nobody is refused, though the server still starts
        except OSError as wrong:
            listener.close()
            raise UsageError(f"cannot listen on {host}:{port}: {wrong.strerror} (--port takes another)") from wrong
        self.port = listener.getsockname()[1]
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


__all__ = ["Status", "Web"]
