"""The days ahead: exams expected beside those of the past weeks, by modality, and how good the forecast has been."""

from __future__ import annotations

from typing import Any

from dash import html

from app import words
from app.cards import card, graph, shown
from app.context import Context
from app.figures.outlook import outlook
from app.questions import Question
from app.tables import Column, Row, table
from app.texts import text
from sql import query
from sql.catalog import Metric

METRIC, ERROR = "forecast_volume", "forecast_error"
LIMIT = 25
#: Rules of a level in the back-test.
RULES = ("forecast", "last_4_weeks", "seasonal_naive")

COURSE = Question("forecast.course", lambda context: query.outlook(context.snapshot, context.filters), METRIC,
                  dict.fromkeys(("lower_80", "upper_80", "n"), "exams"))  # fmt: skip
GROUPS = Question("forecast.groups", lambda context: query.outlook_groups(context.snapshot, context.filters), METRIC,
                  {"n": "exams", **dict.fromkeys(("forecast", "seasonal_naive", "last_4_weeks"), "share")})  # fmt: skip
TESTED = Question(
    "forecast.tested", lambda context: query.backtest(context.snapshot, context.filters), ERROR,
    {"wape": "share", "within_80": "share", "within_95": "share", "mae": "exams", "width_95": "exams"},
)  # fmt: skip
QUESTIONS = (COURSE, GROUPS, TESTED)


def cards(context: Context, metric: Metric) -> list[Any]:
    """The forecast's own cards, on its page and its error's."""
    return forecast(context) if metric.id in (METRIC, ERROR) else []


def forecast(context: Context) -> list[Any]:
    """Course with the error in words, groups, back-test."""
    days, groups, tested = COURSE.ask(context), GROUPS.ask(context), TESTED.ask(context)
    none = text("forecast.none")
    course = [html.P(_in_words(context), className="note"), shown(days, lambda: graph(COURSE, outlook(
        days, context.scheme), 300), note=none)]  # fmt: skip
    return [
        card(context, COURSE, course, wide=True),
        card(context, GROUPS, shown(groups, lambda: table(
            groups, _group_columns(context), label=GROUPS.title, limit=LIMIT,
            faint=lambda row: row["reason"] is not None)), wide=True),
        card(context, TESTED, shown(tested, lambda: table(
            tested, _test_columns(), label=TESTED.title, fold=len(RULES)), note=none), wide=True),
    ]  # fmt: skip


def _in_words(context: Context) -> str:
    """What the back-test says, of the widest level that these filters have."""
    rows = TESTED.ask(context).to_dicts()
    if not rows:
        return text("forecast.untested")
    level = rows[0]["level"]
    ours, mean, naive = (next(row for row in rows if (row["level"], row["model"]) == (level, model)) for model in RULES)
    best = "better" if ours["mae"] < min(mean["mae"], naive["mae"]) else "worse"
    facts = {
        name: words.value(row["wape"], "share") for name, row in (("ours", ours), ("mean", mean), ("naive", naive))
    }
    return " ".join(
        [
            text("forecast.error", level=text(f"forecast.level.{level}"), since=words.day(ours["from_day"]), **facts),
            text(f"forecast.{best}"),
            text("forecast.covered", within=words.value(ours["within_95"], "share")),
        ]
    )


def _between(row: Row) -> str:
    if row["lower"] is None:
        return words.NO_VALUE
    return text("metric.to", lower=words.value(row["lower"], "exams"), upper=words.value(row["upper"], "exams"))


def _group_columns(context: Context) -> list[Column]:
    def told(row: Row) -> str:
        if row["reason"] is None:
            return words.value(row["value"], "exams")
        return text("forecast.reason", reason=words.told(row["reason"]), n=words.count(row["n_days"]))

    return [
        Column(text("group.facility"), lambda row: context.name("facility", row["facility"]), is_text=True),
        Column(text("group.modality"), lambda row: row["modality"], is_text=True),
        Column(text("forecast.expected"), told),
        Column(text("metric.interval"), _between),
        Column(text("forecast.last"), lambda row: words.value(row["n"], "exams"), hint=text("forecast.last.hint")),
        Column(text("forecast.off"), lambda row: words.value(row["forecast"], "share"), hint=text("forecast.off.hint")),
        Column(text("forecast.naive"), lambda row: words.value(row["seasonal_naive"], "share")),
    ]


def _test_columns() -> list[Column]:
    return [
        Column(text("forecast.level"), lambda row: text(f"forecast.level.{row['level']}"), is_text=True),
        Column(text("forecast.model"), lambda row: text(f"forecast.model.{row['model']}"), is_text=True),
        Column(text("forecast.off"), lambda row: words.value(row["wape"], "share"), hint=text("forecast.off.hint")),
        Column("MAE", lambda row: words.plain(row["mae"]), hint=text("forecast.mae.hint")),
        Column("MASE", lambda row: words.plain(row["mase"]), hint=text("forecast.mase.hint")),
        Column(text("forecast.in_80"), lambda row: words.value(row["within_80"], "share")),
        Column(text("forecast.in_95"), lambda row: words.value(row["within_95"], "share")),
        Column(text("forecast.width"), lambda row: words.plain(row["width_95"])),
        Column(text("table.n"), lambda row: words.count(row["n_days"])),
    ]
