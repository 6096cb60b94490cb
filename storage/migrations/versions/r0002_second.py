"""What the second schema adds."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

TIME = sa.String(27).with_variant(sa.DateTime(timezone=True), "postgresql")


def upgrade() -> None:
    _moving()
    _learning()
    _attachments()
    _silence()


def _attachments() -> None:
    """Files that pages name, as pages of their own."""
    op.add_column("page", sa.Column("parent", sa.Integer(), nullable=True))
    op.create_index(op.f("ix_page_parent"), "page", ["parent"], unique=False)
    op.add_column("page", sa.Column("label", sa.String(), nullable=True))
    op.add_column("page", sa.Column("attached", sa.String(), nullable=True))
    op.add_column("change", sa.Column("parent", sa.String(), nullable=True))
    op.add_column("change", sa.Column("attachment", sa.String(), nullable=True))


def _moving() -> None:
    """Permanent redirects."""
    op.add_column("page", sa.Column("moved_to", sa.String(), nullable=True))
    op.add_column("page", sa.Column("moved_times", sa.Integer(), nullable=False, server_default="0"))


def _learning() -> None:
    """Readings of one body by better rules, noise learned from a site, copies."""
    op.add_column("page", sa.Column("checks", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("page", sa.Column("rules", sa.String(), nullable=True))
    op.add_column("version", sa.Column("checks", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("version", sa.Column("reading", sa.Integer(), nullable=False, server_default="1"))
    op.add_column("version", sa.Column("copy_of", sa.Integer(), nullable=True))
    op.create_index(op.f("ix_version_copy_of"), "version", ["copy_of"], unique=False)
    op.add_column("change", sa.Column("copy_of", sa.Integer(), nullable=True))
    op.create_table(
        "reading",
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("reading", sa.Integer(), nullable=False),
        sa.Column("until", TIME, nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("lists_sha256", sa.String(), nullable=True),
        sa.Column("items_sha256", sa.String(), nullable=True),
        sa.Column("fields", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["version"], ["version.id"], name=op.f("fk_reading_version")),
        sa.PrimaryKeyConstraint("version", "reading", name=op.f("pk_reading")),
    )
    op.create_index(op.f("ix_reading_sha256"), "reading", ["sha256"], unique=False)
    op.create_table(
        "noise",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("host", sa.String(), nullable=False),
        sa.Column("page", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("mark", sa.String(), nullable=False),
        sa.Column("rule", sa.JSON(), nullable=False),
        sa.Column("example", sa.String(), nullable=False),
        sa.Column("seen", sa.Integer(), nullable=False),
        sa.Column("of", sa.Integer(), nullable=False),
        sa.Column("pages", sa.Integer(), nullable=False),
        sa.Column("first_seen", TIME, nullable=False),
        sa.Column("last_seen", TIME, nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_noise")),
        sa.UniqueConstraint("host", "page", "kind", "mark", name=op.f("uq_noise_host_page_kind_mark")),
    )
    op.create_index(op.f("ix_noise_host"), "noise", ["host"], unique=False)
    op.create_table(
        "sketch",
        sa.Column("mark", sa.BigInteger(), nullable=False, autoincrement=False),
        sa.Column("page", sa.Integer(), nullable=False, autoincrement=False),
        sa.ForeignKeyConstraint(["page"], ["page.id"], name=op.f("fk_sketch_page")),
        sa.PrimaryKeyConstraint("mark", "page", name=op.f("pk_sketch")),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_sketch_page"), "sketch", ["page"], unique=False)


def _silence() -> None:
    """Channels that are off, what is muted, what was acknowledged, whose first reading was told of."""
    op.add_column("source", sa.Column("announced_at", TIME, nullable=True))
    op.execute("UPDATE source SET announced_at = baseline_done_at")  # what is known already is no news
    op.add_column("alert", sa.Column("acked_at", TIME, nullable=True))
    op.create_table(
        "channel_off",
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("recipient", sa.String(), nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("why", sa.String(), nullable=False),
        sa.Column("mark", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("channel", "recipient", name=op.f("pk_channel_off")),
    )
    op.create_table(
        "mute",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("until", TIME, nullable=True),
        sa.Column("source", sa.String(), nullable=True),
        sa.Column("url", sa.String(), nullable=True),
        sa.Column("indicator", sa.String(), nullable=True),
        sa.Column("channel", sa.String(), nullable=True),
        sa.Column("why", sa.String(), nullable=True),
        sa.Column("created", TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mute")),
    )
