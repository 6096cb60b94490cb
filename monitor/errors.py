"""The error tree. A failed fetch is not here: it is an `Outcome`, because failing is what pages do.

MubiaoError
├── ConfigError       sources.yaml, the environment or a data file is wrong: exit 2, nothing was changed
├── UsageError        the command line asks for something that is not there: exit 2
├── DecodeError       bytes that are no text in any encoding we know
├── StorageError      the database refuses, is locked by a daemon, is newer than we are, or holds a bad blob
└── DeliveryError     a channel did not take a message; `permanent` says that trying again is useless
"""

from collections.abc import Sequence


class MubiaoError(Exception):
    """The root: everything that ends a command with one line instead of a traceback."""


class ConfigError(MubiaoError):
    """Where a configuration is wrong, and how to mend it.

    `line` and `column` count from 1. `str()` is the one line that a user sees: `file:line:column: path: message (fix)`.
    """

    def __init__(
        self,
        message: str,
        *,
        file: str | None = None,
        line: int | None = None,
        column: int | None = None,
        path: str | None = None,
        fix: str | None = None,
    ) -> None:
        self.message, self.file, self.line, self.column = message, file, line, column
        self.path, self.fix = path, fix
        self.seen: tuple[tuple[str, int, int], ...] = ()  # of a whole configuration: the files that were read for it
        place = ":".join(str(x) for x in (file, line, column) if x is not None)
        parts = [p for p in (place, path, message) if p]
        super().__init__(": ".join(parts) + (f" ({fix})" if fix else ""))


class UsageError(MubiaoError):
    """A version, source, file or option that does not exist, with the nearest one that does."""


class DecodeError(MubiaoError):
    """Bytes that cannot be read as text."""


class StorageError(MubiaoError):
    """The database cannot do what was asked; nothing was half-written."""


class DeliveryError(MubiaoError):
    """A channel did not accept a message."""

    def __init__(
        self,
        message: str,
        *,
        permanent: bool = False,
        retry_after: float | None = None,
        gone: Sequence[str] = (),
    ) -> None:
        """`gone` names recipients that will never take anything again; "" stands for the whole channel."""
        self.permanent, self.retry_after, self.gone = permanent, retry_after, tuple(gone)
        super().__init__(message)
