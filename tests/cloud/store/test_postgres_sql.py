"""Schema files in PostgreSQL's dialect, statements of a table, texts as they can be kept."""

from hypothesis import given
from hypothesis import strategies as st

from fleet.cloud.store.postgres_sql import postgres_table_of, read, translate, written
from tests.cloud.store.things import Counted, Thing

texts = st.text(st.sampled_from("\0\1\2a\u00e9"), max_size=5)


def test_types_and_table_options_are_translated_words_in_quotes_and_comments_are_not() -> None:
    script = """
-- An INTEGER, some TEXT;
CREATE TABLE a (
    id INTEGER NOT NULL PRIMARY KEY, -- a BLOB
    note TEXT NOT NULL DEFAULT 'the TEXT''s REAL',
    weight REAL, data BLOB
) STRICT, WITHOUT ROWID;
CREATE TABLE b (id INTEGER NOT NULL) STRICT;
CREATE TABLE c (id INTEGER NOT NULL) WITHOUT ROWID, STRICT;
ALTER TABLE b ADD COLUMN text TEXT NOT NULL DEFAULT '';
"""
    assert (
        translate(script)
        == """
-- An INTEGER, some TEXT;
CREATE TABLE a (
    id BIGINT NOT NULL PRIMARY KEY, -- a BLOB
    note TEXT COLLATE "C" NOT NULL DEFAULT 'the TEXT''s REAL',
    weight DOUBLE PRECISION, data BYTEA
);
CREATE TABLE b (id BIGINT NOT NULL);
CREATE TABLE c (id BIGINT NOT NULL);
ALTER TABLE b ADD COLUMN text TEXT COLLATE "C" NOT NULL DEFAULT '';
"""
    )


def test_statements_name_every_column() -> None:
    table = postgres_table_of(Thing)
    assert table.put_sql.startswith('INSERT INTO "things" ("owner", "number", "weight", ')
    assert table.put_sql.endswith('"extra" = EXCLUDED."extra"')
    assert 'ON CONFLICT ("owner", "number") DO UPDATE SET "weight" = ' in table.put_sql
    assert table.delete_sql == 'DELETE FROM "things" WHERE "owner" = $1 AND "number" = $2'
    assert table.load_sql.endswith('FROM "things" ORDER BY "owner", "number"')
    assert postgres_table_of(Counted).put_sql.endswith('ON CONFLICT ("number") DO NOTHING')


@given(st.lists(texts, min_size=1, max_size=6))
def test_a_text_is_kept_without_zero_comes_back_and_keeps_its_place(cells: list[str]) -> None:
    kept = written((*cells, 1, None, b"\0"))
    assert read(kept) == (*cells, 1, None, b"\0")
    assert not any(isinstance(cell, str) and "\0" in cell for cell in kept)
    assert sorted(cells) == [read((cell,))[0] for cell in sorted(map(str, kept[: len(cells)]))]
