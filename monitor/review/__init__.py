"""Looking again at what is known, between storage's answers and the commands and pages that show them."""

from monitor.review.asking import canonical, moment, span, wanted
from monitor.review.changes import (
    about_change,
    about_sources,
    alert_of,
    diff_json,
    exported,
    last_alert,
    last_change,
    next_digest,
    previous,
    two_versions,
)
from monitor.review.promises import amplified, attainment, ranking, timeline, with_changes
from monitor.review.rereading import Shift, shifts
from monitor.review.sides import Side, compare_sides, doubts, read_text, side, stored_side

__all__ = [
    "Shift",
    "Side",
    "about_change",
    "about_sources",
    "alert_of",
    "amplified",
    "attainment",
    "canonical",
    "compare_sides",
    "diff_json",
    "doubts",
    "exported",
    "last_alert",
    "last_change",
    "moment",
    "next_digest",
    "previous",
    "ranking",
    "read_text",
    "shifts",
    "side",
    "span",
    "stored_side",
    "timeline",
    "two_versions",
    "wanted",
    "with_changes",
]
