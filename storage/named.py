"""What a user calls a version: "v12", "key@2022", "230103@2022", a source's key, or an address."""

from __future__ import annotations

from difflib import get_close_matches
from typing import Any

from sqlalchemy import case, func, or_
from sqlmodel import Session, col, select

from monitor.errors import UsageError
from storage import rows
from storage.tables import PageRow, SourceRow, VersionRow

BARE = 60  # characters under which a version is no more than the names of its files

_ORDER = ("report", "outline", "plan", "budget")  # which document "230103@2022" means, where one of a kind is there


def release_clause(label: str) -> Any:
    """Versions of a release: by its label, or by the year its document sets targets for."""
    by_label: Any = col(VersionRow.release) == label
    return or_(by_label, col(VersionRow.year) == int(label)) if label.isascii() and label.isdigit() else by_label


def version(session: Session, ref: str) -> int:
    """The number of the version meant. Raises UsageError, with candidates or the nearest key."""
    ref = ref.strip()
    if ref[:1] == "v" and rows.is_number(ref[1:]):
        found = session.get(VersionRow, int(ref[1:]))
        if found is not None and found.id is not None:
            return found.id
        if session.get(SourceRow, ref) is None:
            raise UsageError(f"there is no version {ref}")
    if "://" not in ref and "@" in ref:
        return _release(session, ref)
    return _latest(session, ref)


def pages(session: Session, ref: str) -> list[int]:
    """The pages of a source, or of one address, or the page of a version."""
    if ref[:1] == "v" and rows.is_number(ref[1:]) and session.get(SourceRow, ref) is None:
        return [session.get_one(VersionRow, version(session, ref)).page]
    where = _by_url(session, ref) if "://" in ref else col(PageRow.source) == ref
    found = [number for number in session.exec(select(PageRow.id).where(where)) if number is not None]
    if not found:
        raise UsageError(unknown(session, ref))
    return found


def _by_url(session: Session, url: str) -> Any:
    """The address as it is written, or with the other scheme or end slash where only that is known."""
    if session.exec(select(PageRow.id).where(col(PageRow.url) == url).limit(1)).first() is not None:
        return col(PageRow.url) == url
    bare = url.split("://", 1)[1].rstrip("/")
    return col(PageRow.url).in_([f"{scheme}://{bare}{end}" for scheme in ("http", "https") for end in ("", "/")])


def _latest(session: Session, ref: str) -> int:
    """The newest of its documents, by the date shown on them.

    A page that only names its files comes after what stands in them, and a list where there is nothing else.
    """
    query = select(VersionRow.id).where(col(VersionRow.id) == col(PageRow.version))
    query = query.where(col(PageRow.id).in_(pages(session, ref)))
    newest = (col(VersionRow.published).is_(None), col(VersionRow.published).desc(), col(VersionRow.at).desc())
    place = case({"document": 0, "entry": 1}, value=col(PageRow.role), else_=2)
    ordered = query.order_by(col(VersionRow.chars) < BARE, *newest[:2], place, newest[2], col(VersionRow.id).desc())
    found = session.exec(ordered.limit(1)).first()
    if found is None:
        raise UsageError(f"nothing of {ref} has been kept yet")
    return found


def _release(session: Session, ref: str) -> int:
    """The newest version of a release of one document; a government report before plans and budgets."""
    name, _, label = ref.rpartition("@")
    keys = [name] if session.get(SourceRow, name) is not None else []
    if not keys and name.isascii() and name.isdigit():
        keys = list(session.exec(select(SourceRow.key).where(col(SourceRow.region) == name)))
    if not keys:
        raise UsageError(unknown(session, name))
    newest = (
        select(func.max(VersionRow.id))
        .where(col(VersionRow.page) == col(PageRow.id), col(PageRow.source).in_(keys), release_clause(label))
        .group_by(col(VersionRow.page))
        .correlate(None)
    )
    query = select(VersionRow, PageRow).where(col(VersionRow.page) == col(PageRow.id), col(VersionRow.id).in_(newest))
    found = list(session.exec(query.order_by(col(VersionRow.id).desc())).all())
    if not found:
        raise UsageError(f"{name} has no release {label}; it has: {_labels(session, keys)}")
    found = [x for x in found if x[0].copy_of is None] or found
    chosen = _one(found)
    if chosen is None or chosen.id is None:
        listed = "; ".join(f"v{row.id} {row.title or page.url} ({page.source})" for row, page in found[:8])
        raise UsageError(f"{ref} can mean {len(found)} documents, name one: {listed}")
    return chosen.id


def _one(found: list[Any]) -> VersionRow | None:
    if len(found) == 1:
        return found[0][0]  # type: ignore[no-any-return]
    for kind in _ORDER:
        of_kind = [row for row, _ in found if row.record_type == kind]
        whole = [row for row in of_kind if row.record.get("complete")] or of_kind
        if len(whole) == 1:
            return whole[0]  # type: ignore[no-any-return]
        if whole:
            return None
    return None


def _labels(session: Session, keys: list[str]) -> str:
    query = select(VersionRow.release).where(
        col(VersionRow.page) == col(PageRow.id), col(PageRow.source).in_(keys), col(VersionRow.release).is_not(None)
    )
    return ", ".join(sorted({label for label in session.exec(query.distinct()) if label})) or "none"


def unknown(session: Session, name: str) -> str:
    """What to say of a key that is not there, with the nearest one that is."""
    keys = list(session.exec(select(SourceRow.key).order_by(SourceRow.key)))
    near = get_close_matches(name, keys, 1, 0.5)
    return f"nothing is known of {name}" + (f"; did you mean {near[0]}?" if near else "")
