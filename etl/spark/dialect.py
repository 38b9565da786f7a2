"""A model in Spark's words: sqlglot writes it, and one small table says what sqlglot alone would not mean the same.

`MACROS` of `sql` are put in place of their calls, so that Spark needs no function of ours. `WORDS` has the functions of
DuckDB that Spark has too, but with another meaning. Nothing else of a model is changed, and there is no second copy.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

import sqlglot
from sqlglot import TokenType, exp

from sql.macros import MACROS, Macro


class NotForSparkError(ValueError):
    """A statement has no equal in Spark; the message says what, and names no value."""


#: Letter by letter: DuckDB never makes two letters of one and does not look at what stands beside it.
_LETTERS = (
    "CASE WHEN word RLIKE '[^ -~]' THEN array_join(transform(split(word, ''), letter -> "
    "CASE WHEN letter = '{odd}' THEN '{even}' WHEN char_length({turn}(letter)) = 1 THEN {turn}(letter) "
    "WHEN char_length({title}(letter)) = 1 THEN {title}(letter) ELSE letter END), '') "
    "ELSE {turn}(word) END"
)


def _word(arguments: str, duckdb: str, spark: str) -> Macro:
    return Macro(duckdb.partition("(")[0], tuple((name, "") for name in arguments.split()), "", duckdb, spark)


#: Node of a DuckDB statement -> its parts in the order of the macro's arguments, and what Spark has for it.
WORDS: dict[type[exp.Expr], tuple[tuple[str, ...], Macro]] = {
    exp.GenerateSeries: (("start", "end", "step"), _word(
        "first last step", "generate_series(first, last, step)",
        "CASE WHEN first <= last THEN sequence(first, last, step) END")),
    exp.PercentileCont: (("this", "expression"), _word(
        "value part", "quantile_cont(value, part)", "percentile(value, part)")),
    exp.DateDiff: (("expression", "this"), _word(
        "since until", "date_diff('day', since, until)", "datediff(CAST(until AS DATE), CAST(since AS DATE))")),
    exp.DayOfWeekIso: (("this",), _word("day", "isodow(day)", "(weekday(CAST(day AS DATE)) + 1)")),
    exp.Upper: (("this",), _word(
        "word", "upper(word)", _LETTERS.format(turn="upper", title="initcap", odd="ß", even="ẞ"))),
    exp.Lower: (("this",), _word(
        "word", "lower(word)", _LETTERS.format(turn="lower", title="lower", odd="İ", even="i"))),
}  # fmt: skip
_CALLED = """
    abs array_join bool_and bool_or ceil chr coalesce concat concat_ws count date_trunc datediff dense_rank encode
    explode floor from_utc_timestamp greatest hour initcap lag lead least length lower max max_by min min_by minute
    nullif percentile percentile_disc rank regexp_replace replace round row_number sequence sha2 split split_part struct
    substring sum timestamp_micros transform trim unhex unix_micros unix_timestamp upper weekday
"""
#: Functions that the models use in Spark: each means there what it means in DuckDB, as the parity test shows.
FUNCTIONS = frozenset(_CALLED.split())
_NO_CALLS = """
    all and as by case cast decimal distinct else except exists filter from group having in is join not on or over
    partition select then union using values when where with within
"""
#: Words of the language that stand before a bracket as a function does.
_GRAMMAR = frozenset(_NO_CALLS.split())


def to_spark(statement: str, macros: Iterable[Macro] = ()) -> str:
    """`statement`, one query in DuckDB's dialect, as Spark runs it; `macros` beside those of `sql.macros` are known.

    Raises NotForSparkError where a part of it has no equal in Spark.
    """
    try:
        tree = sqlglot.parse_one(statement, read="duckdb")
        _translate(tree, {macro.name: macro for macro in (*MACROS, *macros)})
        text = tree.sql("spark", unsupported_level=sqlglot.ErrorLevel.RAISE)
        sqlglot.parse_one(text, read="spark")
        unknown = called(text) - FUNCTIONS
    except sqlglot.errors.SqlglotError as error:
        raise NotForSparkError(str(error).partition("\n")[0]) from None
    if unknown:
        raise NotForSparkError(f"no such function in Spark's table: {', '.join(sorted(unknown))}")
    return text


def called(text: str) -> set[str]:
    """Names, in lower case, of the functions that a statement of Spark calls."""
    found = sqlglot.tokenize(text, read="spark")
    names = {a.text.lower() for a, b in pairwise(found) if b.token_type == TokenType.L_PAREN and a.text[:1].isalpha()}
    return names - _GRAMMAR


def _translate(tree: exp.Expr, macros: dict[str, Macro]) -> None:
    """Put Spark's words into a tree of DuckDB, the innermost calls first."""
    for join in tree.find_all(exp.Join):
        if join.method:  # ASOF, POSITIONAL
            raise NotForSparkError(f"no {join.method} join in Spark")
    for node in reversed(list(tree.find_all(exp.Anonymous, exp.Concat, exp.ConcatWs, exp.PercentileDisc, *WORDS))):
        if isinstance(node, exp.Concat | exp.ConcatWs):
            node.set("expressions", [_text(part) for part in node.expressions])
        elif isinstance(node, exp.PercentileDisc):
            order = exp.Order(expressions=[exp.Ordered(this=node.this.copy())])
            part = exp.Anonymous(this="percentile_disc", expressions=[node.expression.copy()])
            node.replace(exp.WithinGroup(this=part, expression=order))
        elif isinstance(node, exp.DateDiff) and (unit := node.text("unit").lower()) != "day":
            raise NotForSparkError(f"date_diff of {unit}s: write it as a macro")
        else:
            _inline(node, macros)
    for kind in tree.find_all(exp.DataType):
        if kind.this in (exp.DType.TIMESTAMP, exp.DType.TIMESTAMPNTZ):
            kind.set("this", exp.DType.TIMESTAMPTZ)  # the session's zone is UTC


def _text(part: exp.Expr) -> exp.Expr:
    """A part of a text as text: Spark would take an empty text beside a time for a time."""
    return part if isinstance(part, exp.Literal) and part.is_string else exp.cast(part.copy(), exp.DType.TEXT)


def _inline(node: exp.Expr, macros: dict[str, Macro]) -> None:
    """Put the body of a macro in place of its call, or Spark's words in place of those of `WORDS`."""
    if isinstance(node, exp.Anonymous):
        found, values = macros.get(node.name.lower()), node.expressions
    else:
        parts, found = WORDS[type(node)]
        values = [node.args[part] for part in parts]
    if found is None or len(values) != len(found.arguments):
        raise NotForSparkError(f"no such function in Spark's table: {node.name.lower()} of {len(values)}")
    node.replace(_body(found, values, macros))


def _body(macro: Macro, values: list[exp.Expr], macros: dict[str, Macro]) -> exp.Expr:
    """The body of a macro with `values` in place of its arguments."""
    holder = exp.Paren(this=sqlglot.parse_one(macro.spark, read="spark"))
    if all(macro is not word for _, word in WORDS.values()):
        for node in reversed(list(holder.find_all(exp.Anonymous, exp.Upper, exp.Lower))):
            if not isinstance(node, exp.Anonymous) or node.name.lower() in macros:
                _inline(node, macros)
    given = {name: value for (name, _), value in zip(macro.arguments, values, strict=True)}
    for column in list(holder.find_all(exp.Column)):
        if not column.table and column.name in given:
            column.replace(exp.Paren(this=given[column.name].copy()))
    return holder.this if isinstance(holder.this, exp.Func) else holder
