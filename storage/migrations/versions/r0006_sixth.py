"""What the sixth schema adds: numbers in the full-text index, three to five characters at a time."""

import hashlib
import json
import re
import unicodedata
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import sqlalchemy as sa
import zstandard
from alembic import op

from storage import parity

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

READ, WRITTEN = 500, 20_000  # entries whose texts are in memory at once, and whose words are
FIGURE = "\ue003"
NUMBER = re.compile(r"[0-9](?:[\W_]?[0-9])+")
PIECE = tuple(re.compile(rf"(?=([0-9].{{{n}}}[0-9]))", re.DOTALL) for n in (3, 2, 1))
SIGN = re.compile(r"[^0-9]")

COUNT = sa.text("SELECT count(*) FROM passage")
ENTRIES = sa.text(
    "SELECT passage.id, passage.place, passage.change, version.sha256 FROM passage"
    " LEFT JOIN version ON version.id = passage.version AND passage.change IS NULL"
    " WHERE passage.id > :last ORDER BY passage.id LIMIT :some"
)
BODIES = sa.text("SELECT id, body FROM change WHERE id IN :some").bindparams(sa.bindparam("some", expanding=True))
BLOBS = sa.text(
    "SELECT blob.sha256, blob.size, blob.data, blob.base, near.size AS near_size, near.data AS near_data FROM blob"
    " LEFT JOIN blob AS near ON near.sha256 = blob.base WHERE blob.sha256 IN :some"
).bindparams(sa.bindparam("some", expanding=True))
PARITY = sa.text("SELECT parity FROM keyframe WHERE sha256 = :name")
GIN = sa.text("UPDATE passage_index SET words = words || CAST(:words AS text[]) WHERE passage = :number")
FTS_OUT = sa.text(  # FTS5 counts its entries: one that it lost is not to be taken out
    "INSERT INTO passage_index(passage_index, rowid, words)"
    " SELECT 'delete', id, '' FROM passage_index_docsize WHERE id = :number"
)
FTS_IN = sa.text("INSERT INTO passage_index(rowid, words) VALUES (:number, :words)")


def upgrade() -> None:
    connection = op.get_bind()
    gin = connection.dialect.name == "postgresql"
    if gin:
        op.drop_index("ix_passage_index_words", "passage_index")
    told = op.get_context().config.attributes.get("told", lambda done, total: None)  # type: ignore[union-attr]
    done, total, owed = 0, connection.execute(COUNT).scalar_one(), list[dict[str, Any]]()
    for entries in _entries(connection):
        for number, value in _texts(connection, entries):
            if words := _words(value):
                owed.append({"number": number, "words": sorted(words) if gin else " ".join(words)})
        if len(owed) >= WRITTEN:
            _write(connection, owed, gin=gin)
            owed = []
        done += len(entries)
        told(done, total)
    _write(connection, owed, gin=gin)
    if gin:
        op.execute("CREATE INDEX ix_passage_index_words ON passage_index USING gin (words)")


def _words(value: str) -> set[str]:
    numbers = set(NUMBER.findall(_folded(value)))
    pieces = {found for number in numbers for piece in PIECE for found in piece.findall(number)}
    return {FIGURE + SIGN.sub(FIGURE, piece) for piece in pieces}


def _write(connection: sa.Connection, owed: list[dict[str, Any]], *, gin: bool) -> None:
    """The words come to those that an entry has."""
    for statement in (GIN,) if gin else (FTS_OUT, FTS_IN):
        if owed:
            connection.execute(statement, owed)


def _entries(connection: sa.Connection) -> Iterator[Any]:
    last = -1
    while entries := connection.execute(ENTRIES, {"last": last, "some": READ}).all():
        yield entries
        last = entries[-1].id


def _texts(connection: sa.Connection, entries: Any) -> Iterator[tuple[int, str]]:
    """What entries stand for. What is damaged is left out: `mubiao db check` names it."""
    changes = [entry.change for entry in entries if entry.change is not None]
    edits = {number: _edits(body) for number, body in _some(connection, BODIES, changes)}
    names = [entry.sha256 for entry in entries if entry.sha256]
    texts = {row.sha256: row for row in _some(connection, BLOBS, names)}
    for entry in entries:
        if entry.change is not None:
            place = 1 if entry.place == "removed" else 2
            yield entry.id, "\n".join(filter(None, (e[place] for e in edits.get(entry.change, ()) if e[0] != "move")))
        elif entry.sha256 in texts:
            yield entry.id, _text(connection, texts[entry.sha256])


def _some(connection: sa.Connection, asked: Any, names: list[Any]) -> Any:
    """Rows of these names: PostgreSQL takes no empty list of a type that it is not told."""
    return connection.execute(asked, {"some": names}) if names else ()


def _edits(body: bytes) -> list[Any]:
    """What a change did: op, old text, new text, and what is not asked for."""
    with suppress(zstandard.ZstdError, ValueError, LookupError, TypeError, MemoryError):
        plain = (
            zstandard.decompress(body[1:]).decode("gb18030") if body.startswith(b"g") else zstandard.decompress(body)
        )
        return [(op, old or "", new or "") for op, old, new, *_ in json.loads(plain)["edits"]]
    return []


def _text(connection: sa.Connection, row: Any) -> str:
    """What a blob holds, by the parity of its keyframe if need be; nothing where it is damaged."""
    whole = row.data if row.base is None else row.near_data or b""
    found = _unpacked(row, whole)
    if found is None:
        kept = connection.execute(PARITY, {"name": row.base or row.sha256}).scalar()
        mended = parity.mend(whole, kept) if kept else None
        found = _unpacked(row, mended) if mended is not None else None
    return found.decode("utf-8", "surrogatepass") if found is not None else ""


def _unpacked(row: Any, whole: bytes) -> bytes | None:
    """The bytes of a blob, of which `whole` stands alone: itself or its keyframe. None for others than were kept.

    A wrong bit may give bytes that are no text, or a size that no memory has.
    """
    with suppress(zstandard.ZstdError, MemoryError):
        found = zstandard.decompress(whole, max_output_size=row.near_size or row.size)
        if row.base is not None:
            known = zstandard.ZstdCompressionDict(found, dict_type=zstandard.DICT_TYPE_RAWCONTENT)
            reader = zstandard.ZstdDecompressor(dict_data=known, max_window_size=1 << 27)
            found = reader.decompress(row.data, max_output_size=row.size)
        sha = hashlib.sha256(found)
        return found if row.sha256 in (sha.digest(), sha.hexdigest()) else None
    return None


def _folded(value: str) -> str:
    """As the texts were compared then: width, case and blanks do not matter."""
    return value.translate(FOLD)


class _Fold(dict[int, str]):
    def __missing__(self, code: int) -> str:
        char = chr(code)
        self[code] = "" if char == "\u200b" else "".join(unicodedata.normalize("NFKC", char).casefold().split())
        return self[code]


FOLD = _Fold()
