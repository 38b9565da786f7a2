"""Every word that the SQL room says has its translation, and no translation is of a word that nobody says any more."""

from __future__ import annotations

import ast
import re
import string
from collections.abc import Iterator

import pytest

from app.spoken import WORDS
from etl import pack_words
from sql import candidates, clock_filters, five_definitions, live_fates, stages
from sql.catalog import Catalog
from sql.filters import COMPARE, FILTERS
from sql.leadership import MEASURES
from sql.planning import change
from sql.words import LANGUAGES, table
from tests.conftest import REPO

OTHERS = tuple(code for code in LANGUAGES if code != "en")
#: A reason of a fate within SQL, and why an exam does not count.
REASON = re.compile(r"['\"](?:missing|waiting|negative|excluded|other)\|([^'{\"]+)['\"]")
EXCLUSION = re.compile(r"'([a-z_]+)'")
#: Units that are the same everywhere.
SAME = re.compile(r"s|d|h|min|wRVU|s/d|min/h|wRVU/h")
#: Said of data: roles of readers, milestones that are no clock of the catalog, parts of a stamp, why there is no
#: forecast, steps between two snapshots.
OF_DATA = (
    "Radiologist", "Trainee", "booked", "year", "month", "day", "hour", "minute", "second", "millisecond",
    "microsecond", "offset", "message", "facility", "facility fold", "facility gap", "assumed", "short history",
    "facility silent", "no exams of late", "the dates or filters", "not known then", "other times or counts",
    "and data: cannot be told apart", "does not count", "not asked about", "pt",
)  # fmt: skip


def of_catalog() -> Iterator[str]:
    """Words of the headers; names of columns and lists of them are code."""
    catalog = Catalog.load()
    for metric in catalog.metrics.values():
        for name in WORDS:
            told = getattr(metric, name)
            if told and (name != "anchor" or " " in told):
                yield told
        yield from (metric.unit, *(version.what for version in metric.history))
        yield from (end.replace("_", " ") for end in (metric.clock_start, metric.clock_stop) if " " not in end)
    for model in catalog.tables.values():
        yield from (model.grain, model.purpose)
        yield from (told for column in model.columns for told in (column.note, column.unit))


def of_code() -> Iterator[str]:
    """Words of tables in Python, and what is said by a literal."""
    yield from (told for item in FILTERS for told in (item.label, item.sentence))
    yield from filter(None, COMPARE.values())
    yield from (*clock_filters.KNOWN.values(), *clock_filters.LENGTHS.values())
    yield from (kind.sentence for kind in change.KINDS.values())
    yield from change.DAY_NAMES
    yield from (stage.owner for stage in stages.STAGES)
    yield from (view.source for view in five_definitions.VIEWS)
    yield from candidates.WORDS.values()
    yield from (reason for _, reason in live_fates._FATES.values())
    yield from (name.replace("_", " ") for name in (*candidates.CLOCKED, *stages.AT))
    yield from (measure.label for measure in MEASURES)
    yield from (side for turn in pack_words.TURNS.values() for side in turn)
    yield from (told.removesuffix(" {label}") for told in (pack_words.MISSED, pack_words.MET))
    for path in [*(REPO / "sql").rglob("*.py"), *(REPO / "app").rglob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            name = getattr(getattr(node, "func", None), "attr", getattr(getattr(node, "func", None), "id", ""))
            if isinstance(node, ast.Call) and name == "said" and node.args and isinstance(node.args[0], ast.Constant):
                yield str(node.args[0].value)


def of_sql() -> Iterator[str]:
    """Reasons that statements give, and why exams do not count."""
    for path in [*(REPO / "sql").rglob("*.sql"), *(REPO / "sql").glob("*.py")]:
        yield from (reason.replace("_", " ") for reason in REASON.findall(path.read_text("utf-8")))
    flags = (REPO / "sql" / "staging" / "141_stg_exam_flag.sql").read_text("utf-8").partition(" AS exclusion_reason")[0]
    yield from (reason.replace("_", " ") for reason in EXCLUSION.findall(flags.partition("SELECT")[2]) if "_" in reason)


def spoken() -> set[str]:
    told = {*of_catalog(), *of_code(), *of_sql(), *OF_DATA}
    return {one for one in told if re.search("[a-z]", one) and not SAME.fullmatch(one)}


@pytest.mark.parametrize("code", OTHERS)
def test_every_word_has_a_translation(code: str) -> None:
    theirs = table(code)
    lacking = sorted(spoken() - theirs.keys())
    assert not lacking, (
        f"{len(lacking)} words of headers, filters or reasons lack their {LANGUAGES[code]}: add a pair of lines "
        f'(msgid "the English", msgstr "the translation") to sql/words/{code}.po: ' + " ¦ ".join(lacking)
    )
    unknown = sorted(theirs.keys() - spoken())
    assert not unknown, f"sql/words/{code}.po translates what nobody says any more: " + " ¦ ".join(unknown)


@pytest.mark.parametrize("code", OTHERS)
def test_translations_take_the_same_values(code: str) -> None:
    def places(told: str) -> set[str | None]:
        return {name for _, name, _, _ in string.Formatter().parse(told)}

    assert [told for told, theirs in table(code).items() if places(told) - {None} != places(theirs) - {None}] == []
    assert [told for told, theirs in table(code).items() if not theirs.strip()] == []
