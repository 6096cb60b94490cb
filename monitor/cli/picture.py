"""A drawing as pixels, through resvg with the fonts of the system."""

from __future__ import annotations

from pathlib import Path

import resvg_py

from monitor.errors import UsageError

_SCALE = 2  # pixels for each unit of a drawing: sharp on paper and on dense screens
_PROBE = '<svg xmlns="http://www.w3.org/2000/svg" width="32" height="32"><text y="26" font-size="26">{}</text></svg>'
_NO_SUCH = "\U0010fffd"  # a private character that no font draws


def write_png(path: str, svg: str) -> None:
    """The drawing as pixels. Raises UsageError where no installed font has Chinese characters."""
    drawn = [bytes(resvg_py.svg_to_bytes(svg_string=_PROBE.format(x))) for x in ("国", _NO_SUCH, "")]
    if drawn[0] in drawn[1:]:
        raise UsageError(
            "--png: no font with Chinese characters is installed (Debian: apt install fonts-noto-cjk); --svg needs none"
        )
    Path(path).write_bytes(bytes(resvg_py.svg_to_bytes(svg_string=svg, zoom=_SCALE)))
