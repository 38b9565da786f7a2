"""Fates as numbers: the words that are put to groups are those of each row."""

from __future__ import annotations

import duckdb

from sql.coded import Words

_FATE = """CASE WHEN r.stop IS NULL THEN NULL WHEN r.why <> '' THEN 'excluded|' || coalesce(r.why, 'no')
WHEN r.stop = 0 THEN 'other|' || r.role || ' report' WHEN r.stop = 7 THEN 'missing|what''s told' ELSE 'used|' END"""
_ROWS = "(VALUES (1, NULL, 'a'), (1, 'test', 'a'), (0, NULL, 'b'), (NULL, NULL, 'c'), (7, '', 'd')) r(stop, why, role)"


def test_groups_have_the_words_of_their_rows() -> None:
    words = Words()
    code = words.coded(_FATE)
    keys = [f"{column} AS {name}" for column, name in words.keys.items()]
    groups = f"SELECT {code} AS code, {', '.join(keys)}, count(*) AS n FROM {_ROWS} GROUP BY ALL"
    with duckdb.connect() as con:
        told = con.execute(f"SELECT {words.told('g.code')} AS fate, n FROM ({groups}) g").fetchall()
        rows = con.execute(f"SELECT {_FATE}, 1 FROM {_ROWS}").fetchall()
    assert sorted(told, key=repr) == sorted(rows, key=repr)
    assert list(words.keys) == ["r.why", "r.role"]


def test_expressions_of_one_statement_have_numbers_in_common() -> None:
    words = Words()
    first = words.coded("CASE WHEN FALSE THEN '' WHEN x THEN 'used|' END")
    assert first == "CASE WHEN FALSE THEN 0 WHEN x THEN 1 END"
    assert words.coded("coalesce(b.why, 'used|')") == "COALESCE(b.why, 1)"
