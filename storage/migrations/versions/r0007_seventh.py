"""What the seventh schema adds: the due time of a page whose source rests, out of the way of those that are due."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    moment = sa.String(27) if op.get_bind().dialect.name == "sqlite" else sa.DateTime(timezone=True)
    op.add_column("page", sa.Column("resumes", moment, nullable=True))
    page = sa.table("page", sa.column("source"), sa.column("next_due", moment), sa.column("resumes", moment))
    source = sa.table("source", sa.column("key"), sa.column("enabled", sa.Boolean), sa.column("in_config", sa.Boolean))
    resting = sa.select(source.c.key).where(sa.not_(source.c.enabled) | sa.not_(source.c.in_config))
    owed = sa.update(page).where(page.c.next_due.is_not(None), page.c.source.in_(resting))
    op.get_bind().execute(owed.values(resumes=page.c.next_due, next_due=None))
