"""What the fourth schema adds."""

import re

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _sources_in_the_index()
    _compared_with()
    op.drop_index("ix_version_page_fingerprint", table_name="version")  # 45 bytes a version, and nobody asks it


def _compared_with() -> None:
    """Whether a version may be thinned out is asked of the changes that refer to it."""
    some = sa.text("compared_with IS NOT NULL")
    op.create_index("ix_change_compared_with", "change", ["compared_with"], sqlite_where=some, postgresql_where=some)


# --------------------------------------------------------------------------- the full-text index

SOURCE, TEXT = "\ue000", "\ue001"
NO_LETTER = re.compile(r"[^0-9a-z\u0080-\U0010ffff]")
OF = "passage JOIN page ON page.id = passage.page JOIN word_of ON word_of.source = page.source"
GIN = sa.text(
    "UPDATE passage_index SET words = words || word_of.word::text"  # noqa: S608  names of ours
    " || CASE WHEN passage.place = 'text' THEN ARRAY[CAST(:text AS text)] ELSE ARRAY[]::text[] END"
    f" FROM {OF} WHERE passage.id = passage_index.passage"
)
FTS_OUT = sa.text(
    "INSERT INTO passage_index(passage_index, rowid, words) SELECT 'delete', id, '' FROM passage ORDER BY id"
)
FTS_IN = sa.text(
    "INSERT INTO passage_index(rowid, words) SELECT passage.id,"  # noqa: S608  names of ours
    f" word_of.word || CASE WHEN passage.place = 'text' THEN :text ELSE '' END FROM {OF} ORDER BY passage.id"
)


def _sources_in_the_index() -> None:
    """An entry stands under its source too, and a latest text under a word of its own."""
    connection = op.get_bind()
    keys = connection.execute(sa.text("SELECT key FROM source")).scalars().all()
    connection.execute(sa.text("CREATE TEMPORARY TABLE word_of (source varchar PRIMARY KEY, word varchar NOT NULL)"))
    told = [{"source": key, "word": SOURCE + NO_LETTER.sub("\ue002", key.lower())} for key in keys]
    if told:
        connection.execute(sa.text("INSERT INTO word_of (source, word) VALUES (:source, :word)"), told)
    if connection.dialect.name == "postgresql":
        connection.execute(GIN, {"text": TEXT})
    else:  # the index is a map of words to numbers: these come to those that are there
        connection.execute(FTS_OUT)
        connection.execute(FTS_IN, {"text": " " + TEXT})
    connection.execute(sa.text("DROP TABLE word_of"))
