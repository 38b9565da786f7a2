"""Numbers of identifiers are those of the engine, and what is no identifier is known as such."""

from __future__ import annotations

import re

import duckdb
import numpy as np
import polars as pl
import pytest

from etl.identity_graph import bipartite
from etl.identity_nodes import PLACEHOLDERS, half_md5, value_or_null


def _is_placeholder(text: str) -> bool:
    bare = re.sub("[^A-Z0-9]", "", text.split("^", maxsplit=1)[0].upper())
    return bare in PLACEHOLDERS or bool(re.fullmatch("0+|X{2,}|9{5,}", bare))


@pytest.mark.parametrize("text", ["", "a", "NORTH\x1f1", "Ünïcode ^ x", "0" * 300])
def test_the_number_of_a_text_is_the_engines_own(text: str) -> None:
    told = duckdb.execute(f"SELECT {half_md5('t')}, md5_number_upper(t) FROM (SELECT ? AS t)", [text]).fetchall()
    assert told[0][0] == told[0][1]
    assert duckdb.execute(f"SELECT {half_md5('NULL::VARCHAR')}").fetchall() == [(None,)]


@pytest.mark.parametrize(
    "text",
    ["A1", " A1 ", "A1^RIS", "^A1", "N/A", "n.a.^8", "000", "0000^1", "X", "xx", "9999", "99999", "99999 1", "?", "-^-",
     "90", "unknown", "ID", "ID7", "1^2^3", " ", "^"],
)  # fmt: skip
def test_placeholders_are_no_identifiers(text: str) -> None:
    told = duckdb.execute(f"SELECT {value_or_null('t')} FROM (SELECT ? AS t)", [text]).fetchall()[0][0]
    assert told == (None if _is_placeholder(text) else text.strip(" "))
    assert duckdb.execute(f"SELECT {value_or_null('t')} FROM (SELECT NULL::VARCHAR AS t)").fetchall() == [(None,)]


def test_what_shares_a_number_is_together() -> None:
    frame = pl.DataFrame(
        {"a": [9, 3, 3, 5, None, 7, 9], "b": [10, 20, 30, 30, 10, None, 10]}, schema={"a": pl.UInt64, "b": pl.UInt32}
    )
    assert bipartite(frame, "a", "b").rows() == [(3, 0), (5, 0), (9, 2)]
    assert bipartite(frame.clear(), "a", "b").height == 0


def test_components_are_those_of_a_search() -> None:
    random = np.random.default_rng(3)
    for n in (1, 10, 200):
        edges = pl.DataFrame({"a": random.integers(0, n, n), "b": random.integers(0, n, n)})
        told = dict(bipartite(edges, "a", "b").rows())
        for a, b in edges.rows():
            assert all(told[a] == told[other] for other, right in edges.rows() if right == b)
        seen: dict[int, set[int]] = {}
        for a, group in told.items():
            seen.setdefault(group, set()).add(a)
        for members in seen.values():  # one search from the first reaches all
            reached, todo = set(), [min(members)]
            while todo:
                at = todo.pop()
                reached.add(at)
                rights = {b for a, b in edges.rows() if a == at}
                todo += {a for a, b in edges.rows() if b in rights} - reached
            assert reached == members
