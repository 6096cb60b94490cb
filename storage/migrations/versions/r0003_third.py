"""What the third schema adds."""

import hashlib
import json
from typing import Any

import sqlalchemy as sa
import zstandard
from alembic import op

from storage.tables import packed_sha

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


TIME = sa.String(27).with_variant(sa.DateTime(timezone=True), "postgresql")
HASHES = {
    "blob": ("sha256", "base"),
    "version": ("sha256", "fingerprint", "lists_sha256", "items_sha256", "raw_sha256"),
    "reading": ("sha256", "lists_sha256", "items_sha256"),
}


def upgrade() -> None:
    _payloads()
    _keyframes()
    _hashes()
    _windows()
    _leases()
    if op.get_bind().dialect.name == "postgresql":
        _postgresql()  # last: it looks at every table


def _windows() -> None:
    """Between which two checks a page was edited."""
    op.add_column("change", sa.Column("same_at", TIME, nullable=True))


def _payloads() -> None:
    """What an alert tells leaves its row, which every attempt to send it writes again."""
    op.create_table(
        "payload",
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("sha256", name=op.f("pk_payload")),
    )
    op.add_column("alert", sa.Column("payload_sha256", sa.String(), nullable=False, server_default=""))
    alert = sa.table("alert", sa.column("id"), sa.column("payload", sa.JSON()), sa.column("payload_sha256"))
    kept = sa.table("payload", sa.column("sha256"), sa.column("data"))
    connection = op.get_bind()
    pack = zstandard.ZstdCompressor(level=3, write_checksum=True)
    known: set[str] = set()
    for number in connection.execute(sa.select(alert.c.id)).scalars().all():  # one by one: together they may be large
        told = connection.execute(sa.select(alert.c.payload).where(alert.c.id == number)).scalar_one()
        data = json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")
        name = hashlib.sha256(data).hexdigest()
        if name not in known:
            known.add(name)
            connection.execute(kept.insert().values(sha256=name, data=pack.compress(data)))
        connection.execute(alert.update().where(alert.c.id == number).values(payload_sha256=name))
    with op.batch_alter_table("alert") as table:
        table.drop_column("payload")
        table.create_index(op.f("ix_alert_payload_sha256"), ["payload_sha256"], unique=False)


def _keyframes() -> None:
    """What leans on a keyframe is counted beside it instead of in an index; bodies lean on texts."""
    op.add_column("blob", sa.Column("beside", sa.String(), nullable=True))
    op.add_column("blob", sa.Column("code", sa.String(), nullable=True))
    op.create_table(
        "keyframe",
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("leaning", sa.Integer(), nullable=False),
        sa.Column("weight", sa.Integer(), nullable=False),
        sa.Column("parity", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("sha256", name=op.f("pk_keyframe")),
    )
    op.execute(
        "INSERT INTO keyframe (sha256, leaning, weight) "
        "SELECT base, count(*), sum(length(data)) FROM blob WHERE base IS NOT NULL GROUP BY base"
    )
    op.drop_index(op.f("ix_blob_base"), table_name="blob")


def _hashes() -> None:
    """SQLite keeps hashes as bytes from now on. Its own unhex() came with 3.41."""
    if op.get_bind().dialect.name != "sqlite":
        return
    file: Any = op.get_bind().connection.driver_connection
    file.create_function("packed_sha", 1, packed_sha, deterministic=True)
    for table, columns in {**HASHES, "keyframe": ("sha256",)}.items():
        packed = (f"{name} = CASE WHEN {name} IS NULL THEN NULL ELSE packed_sha({name}) END" for name in columns)
        op.execute(f"UPDATE {table} SET {', '.join(packed)}")  # noqa: S608  names of ours


def _leases() -> None:
    """Who is checking a page."""
    op.add_column("page", sa.Column("lease_id", sa.String(), nullable=True))
    op.add_column("page", sa.Column("lease_until", TIME, nullable=True))
    op.add_column("host", sa.Column("rests_until", TIME, nullable=True))


# --------------------------------------------------------------------------- PostgreSQL

NUMBERS = {
    "page": ("id", "version", "parent"),
    "version": ("id", "page", "copy_of"),
    "change": ("id", "page", "old_version", "new_version", "compared_with", "copy_of"),
    "moved": ("id", "change"),
    "target": ("id", "version", "page"),
    "alert": ("change",),
    "delivery": ("id",),
    "mute": ("id",),
    "reading": ("version",),
    "noise": ("id",),
    "sketch": ("page",),
    "passage": ("id", "page", "version", "change"),
}
TEXTS = """
    SELECT table_name, column_name FROM information_schema.columns
    WHERE table_schema = current_schema() AND data_type = 'character varying'
      AND collation_name IS DISTINCT FROM 'C' AND table_name NOT LIKE 'procrastinate%'
    ORDER BY 1, 2
"""


def _postgresql() -> None:
    """The first two schemas were made for SQLite. Numbers of rows are 64 bits wide, texts are compared by code point
    as SQLite compares them, whatever the server's locale, and the words of the full-text index stand in an array."""
    for table, columns in NUMBERS.items():
        wider = ", ".join(f"ALTER COLUMN {column} TYPE bigint" for column in columns)
        op.execute(f"ALTER TABLE {table} {wider}")
        if "id" in columns:
            op.execute(f"ALTER SEQUENCE {table}_id_seq AS bigint")
    by_table: dict[str, list[str]] = {}
    for table, column in op.get_bind().execute(sa.text(TEXTS)):
        by_table.setdefault(table, []).append(f'ALTER COLUMN "{column}" TYPE varchar COLLATE "C"')
    for table, parts in by_table.items():
        op.execute(f"ALTER TABLE {table} {', '.join(parts)}")
    op.execute(
        "CREATE TABLE passage_index (passage bigint PRIMARY KEY REFERENCES passage (id) ON DELETE CASCADE,"
        " words text[] NOT NULL)"
    )
    op.execute("CREATE INDEX ix_passage_index_words ON passage_index USING gin (words)")
