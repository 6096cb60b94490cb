"""What the fifth schema adds: what questions with an old answer, or none, are asked of."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

SPANS = sa.text(
    "INSERT INTO entry_span (block, first_at, last_at)"
    " SELECT passage.id / 256, min(coalesce(change.at, (SELECT min(at) FROM version WHERE page = passage.page), '')),"
    " max(change.at) FROM passage LEFT JOIN change ON change.id = passage.change"
    " WHERE passage.id < (SELECT max(id) / 256 * 256 FROM passage) GROUP BY 1"
)


def upgrade() -> None:
    op.create_index("ix_change_feed", "change", ["baseline", "kind", "significance", "id"])
    op.create_index("ix_moved_role_change", "moved", ["role", "change"])
    op.create_index("ix_version_year", "version", ["year"])
    sqlite = op.get_bind().dialect.name == "sqlite"
    moment = sa.String(27) if sqlite else sa.DateTime(timezone=True)
    op.create_table(
        "entry_span",
        sa.Column("block", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("first_at", moment, nullable=False),
        sa.Column("last_at", moment, nullable=True),
        sa.PrimaryKeyConstraint("block", name="pk_entry_span"),
    )
    if sqlite:  # GIN answers in no order: PostgreSQL looks at the times themselves
        op.get_bind().execute(SPANS)
