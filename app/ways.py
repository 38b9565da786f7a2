"""Two looks at the way of an exam: the stages that it is made of, and the same exams under five definitions."""

from __future__ import annotations

from typing import Any

from dash import html

from app import words
from app.cards import card, graph, shown
from app.context import Context
from app.figures.waterfall import waterfall
from app.questions import Question
from app.tables import Column, Row, table
from app.texts import text
from sql.query import five_definitions, stage_fates, stages

_MINUTES = dict.fromkeys(("mean", "p50", "p90", "previous", "delta", "target_min"), "min")
STAGES = Question("ways.stages", lambda c: stages(c.snapshot, c.filters), "", {**_MINUTES, "share_of_change": "share"})
FATES = Question("ways.fates", lambda c: stage_fates(c.snapshot, c.filters))
FIVE = Question(
    "ways.definitions", lambda c: five_definitions(c.snapshot, c.filters), "", {**_MINUTES, "within": "share"}
)
QUESTIONS = (STAGES, FATES, FIVE)


def stage_card(context: Context) -> html.Section:
    """The waterfall of means, and each stage's owner, spread and part in the change."""
    frame = STAGES.ask(context)

    def part(row: Row) -> str:
        return words.NO_VALUE if row["share_of_change"] is None else words.share(row["share_of_change"])

    columns = [
        Column(text("ways.stage"), lambda row: text(f"way.{row['stage']}"), is_text=True),
        Column(text("ways.mean"), lambda row: words.value(row["mean"], "min")),
        Column(text("table.change"), lambda row: words.delta(row["delta"], "min")),
        Column(text("ways.part"), part, hint=text("ways.part.hint")),
        Column(text("table.n"), lambda row: words.count(row["n"])),
        Column(text("stat.p50"), lambda row: words.value(row["p50"], "min"), hint=text("ways.apart")),
        Column(text("stat.p90"), lambda row: words.value(row["p90"], "min"), hint=text("ways.apart")),
        Column(text("ways.owner"), lambda row: words.told(row["owner"] or ""), is_text=True),
    ]

    def body() -> Any:
        return html.Div(
            [
                graph(STAGES, waterfall(frame, context.scheme, title=lambda name: text(f"way.{name}")), 400),
                table(frame, columns, label=STAGES.title),
                html.P(_told(context, frame["n_crossed"].to_list()), className="note"),
            ]
        )

    n = None if frame.is_empty() else int(frame["n_exams"][0])
    return card(context, STAGES, shown(frame, body), n=n, wide=True)


def _told(context: Context, crossed: list[int]) -> str:
    """What became of the exams that are not in it, and of milestones out of order."""
    fates = [
        f"{words.count(n)} {text(f'fate.{kind}', reason=words.told(reason))}"
        for kind, reason, n in FATES.ask(context).iter_rows()
    ]
    return text("ways.honest", fates=", ".join(fates), crossed=words.count(sum(crossed)))


def five_card(context: Context) -> html.Section:
    """The same exams by five clocks; the customary number of each is marked."""
    frame = FIVE.ask(context)

    def marked(name: str) -> Column:
        def cell(row: Row) -> Any:
            told = words.value(row[name], "share" if name == "within" else "min")
            return html.B(told) if row["statistic"] == name else told

        return Column(text(f"ways.{name}"), cell)

    columns = [
        Column(text("ways.whose"), lambda row: html.Span(text(f"view.{row['view']}"), title=words.said(row["source"])),
               is_text=True),
        Column(text("ways.clock"), lambda row: text("ways.from_to", start=text(f"milestone.{row['clock_start']}"),
                                                    stop=text(f"milestone.{row['clock_stop']}")), is_text=True),
        *map(marked, ("mean", "p50", "p90", "within")),
        Column(text("table.n"), lambda row: words.count(row["n"])),
        Column(text("ways.own"), lambda row: words.count(row["n_own"]), hint=text("ways.own.hint")),
    ]  # fmt: skip
    body = shown(frame, lambda: html.Div(
        [table(frame, columns, label=FIVE.title), html.P(text("ways.why"), className="note")]))  # fmt: skip
    return card(context, FIVE, body, wide=True)
