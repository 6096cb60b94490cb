"""What the third schema adds."""

import hashlib
import json

import sqlalchemy as sa
import zstandard
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _payloads()


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
