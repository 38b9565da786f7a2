"""Whether a statement only reads, by the engine's own parser: one statement, of a kind that gives rows.

The engine refuses what it would do all the same, since the snapshot is read-only and its settings are locked; this says
so in words, and keeps out functions that reach past the snapshot.
"""

from __future__ import annotations

from itertools import pairwise

import duckdb

#: Table functions that a statement may call; all others of the engine read files, other processes or raw memory,
#: or change what the engine does. Macros of the snapshot and scalar functions are free.
TABLE_FUNCTIONS = frozenset({
    "duckdb_columns", "duckdb_constraints", "duckdb_functions", "duckdb_indexes", "duckdb_keywords", "duckdb_memory",
    "duckdb_optimizers", "duckdb_schemas", "duckdb_tables", "duckdb_types", "duckdb_views", "generate_series",
    "icu_calendar_names", "json_each", "json_tree", "pg_timezone_names", "pragma_show", "pragma_storage_info",
    "pragma_table_info", "pragma_version", "query_table", "range", "repeat", "repeat_row", "summary",
    "test_all_types", "test_vector_types", "unnest",
})  # fmt: skip
#: First words of statements that the engine parses into several: those that read.
_READERS = frozenset({"select", "with", "from", "values", "table", "pivot", "pivot_wider", "pivot_longer", "unpivot",
                      "describe", "desc", "show", "summarize", "("})  # fmt: skip
#: What kinds of statements are called in words; others by their own name.
_KINDS = {
    "VARIABLE_SET": "SET", "MULTI": "several statements", "CREATE_FUNC": "CREATE", "EXTENSION": "an extension's",
    "MERGE_INTO": "MERGE", "COPY_DATABASE": "COPY",
}  # fmt: skip
READS = (
    "Only a single statement that reads can be run here: SELECT, WITH, FROM, VALUES, DESCRIBE, SHOW, SUMMARIZE "
    "or EXPLAIN."
)


class Refused(ValueError):
    """A statement that is not run; says why, and the byte at which what is refused stands."""

    def __init__(self, why: str, at: int = 0) -> None:
        super().__init__(why)
        self.at = at


def judge(connection: duckdb.DuckDBPyConnection, statement: str) -> None:
    """Let a statement pass that only reads. Raises Refused, and duckdb.Error where it cannot be parsed."""
    tokens = _tokens(statement)
    if not tokens:
        raise Refused("There is no statement.")
    _judge_kind(connection, statement, tokens)
    refused = _closed(connection)
    for (at, word), (_, after) in pairwise(tokens):
        name = "".join(sign for sign in word.lower() if sign.isalnum() or sign == "_")
        if after.startswith("(") and name in refused:
            raise Refused(f"{name}() is not for statements of this page: it does not read the snapshot.", at)


def _judge_kind(connection: duckdb.DuckDBPyConnection, statement: str, tokens: list[tuple[int, str]]) -> None:
    found = connection.extract_statements(statement)
    if len(found) != 1:
        told = "There are several statements. " if found else "There is no statement. "
        raise Refused(told + READS, tokens[-1][0] if found else 0)
    kind, first = found[0].type.name, tokens[0][1].lower()
    if first == "explain" and kind in ("EXPLAIN", "MULTI"):
        rest = _explained(connection, statement, tokens)
        _judge_kind(connection, rest, _tokens(rest))
    elif not (kind == "SELECT" or (kind == "MULTI" and first in _READERS)):
        raise Refused(f"{_KINDS.get(kind, kind)} is refused. {READS}")


def _explained(connection: duckdb.DuckDBPyConnection, statement: str, tokens: list[tuple[int, str]]) -> str:
    """What an EXPLAIN explains: behind ANALYZE, and behind options in brackets where a statement follows them."""
    raw, start = statement.encode("utf-8"), 1
    if len(tokens) > start and tokens[start][1].lower() == "analyze":
        start += 1
    if len(tokens) > start and tokens[start][1] == "(":
        depth = 0
        for number in range(start, len(tokens)):
            depth += {"(": 1, ")": -1}.get(tokens[number][1], 0)
            if depth == 0:
                rest = tokens[number + 1 :]
                if rest and _parses(connection, raw[rest[0][0] :].decode("utf-8")):
                    return raw[rest[0][0] :].decode("utf-8")
                break
    if len(tokens) <= start:
        raise Refused("There is nothing to explain.")
    return raw[tokens[start][0] :].decode("utf-8")


def _parses(connection: duckdb.DuckDBPyConnection, statement: str) -> bool:
    try:
        return bool(connection.extract_statements(statement))
    except duckdb.Error:
        return False


def _tokens(statement: str) -> list[tuple[int, str]]:
    """(byte, word) of each token but comments and blanks, brackets apart; a string is its first sign alone."""
    raw = statement.encode("utf-8")
    marks = [(at, kind) for at, kind in duckdb.tokenize(statement)]
    ends = [at for at, _ in marks[1:]] + [len(raw)]
    found: list[tuple[int, str]] = []
    for (at, kind), end in zip(marks, ends[: len(marks)], strict=True):
        if kind == duckdb.token_type.comment:
            continue
        if kind == duckdb.token_type.string_const:
            found.append((at, "'"))
            continue
        word = raw[at:end].decode("utf-8", "replace").strip()
        if word:
            found.append((at, word))
    return found


def _closed(connection: duckdb.DuckDBPyConnection) -> set[str]:
    """Names of the engine's table functions that a statement may not call, but for those of scalar functions."""
    rows = connection.execute(
        """SELECT lower(function_name) FROM duckdb_functions() WHERE internal
           GROUP BY ALL HAVING bool_and(function_type IN ('table', 'pragma'))"""
    ).fetchall()
    return {name for (name,) in rows} - TABLE_FUNCTIONS
