"""Words of rows as numbers: the engine groups millions of rows by numbers, and the words are put to the few groups.

To make the text of a row and to group by it takes the engine three times as long as all that tells which text it is.
"""

from __future__ import annotations

import sqlglot
from sqlglot import exp

from sql.candidates import FATES

_STARTS = tuple(f"{kind}|" for kind in FATES)


class Words:
    """Fates (kind|reason) of a statement by number, and the columns that some of them are made of, by name (`keys`):
    rows are grouped by these as well."""

    def __init__(self) -> None:
        self._words: dict[str, int] = {}
        self.keys: dict[str, str] = {}

    def coded(self, sql: str) -> str:
        """An expression that tells the number in place of the fate."""
        return sqlglot.parse_one(sql, read="duckdb").transform(self._coded).sql("duckdb")

    def told(self, code: str) -> str:
        """SQL of the fate that has a number, over the groups `g`; NULL where there is none."""
        return f"CASE {code} {' '.join(f'WHEN {number} THEN {word}' for word, number in self._words.items())} END"

    def _coded(self, node: exp.Expr) -> exp.Expr:
        first = node
        while isinstance(first, exp.DPipe):
            first = first.this
        is_none = node.parent is not None and node.parent.this == exp.false()  # as in a CASE of no rules
        if not (isinstance(first, exp.Literal) and first.is_string):
            return node
        if not first.this.startswith(_STARTS) and not is_none:
            return node
        word = node.copy()
        for column in word.find_all(exp.Column):
            column.replace(exp.column(self.keys.setdefault(column.sql("duckdb"), f"k{len(self.keys)}"), "g"))
        return exp.Literal.number(self._words.setdefault(word.sql("duckdb"), len(self._words)))
