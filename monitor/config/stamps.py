"""What files and folders looked like before they were read: who follows a configuration looks again and compares."""

from __future__ import annotations

import stat
from pathlib import Path

from monitor.model import Stamp


def of(place: Path) -> tuple[str, int, int]:
    """Its name, when it was written (in nanoseconds) and its bytes; zeros for one that is not there."""
    try:
        known = place.stat()
    except OSError:  # away for a moment: an editor puts another one in its place
        return str(place), 0, 0
    return str(place), known.st_mtime_ns, known.st_size if stat.S_ISREG(known.st_mode) else 0


def again(stamp: Stamp) -> Stamp:
    """The same files and folders as they are now. Opens no file."""
    return tuple(of(Path(place)) for place, _, _ in stamp)
