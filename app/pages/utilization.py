"""Utilization: which scanners are full, idle, late? A day as it was, the week's pattern, and a row per device."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import polars as pl
from dash import dcc, html

from app import cross, evidence, words
from app.cards import card, empty, graph, page_head, shown, tiles
from app.context import Context
from app.dom import many
from app.figures.gantt import day as day_figure
from app.figures.heat import week
from app.figures.trend import Line, trend
from app.noted import noted
from app.numbers import numbers
from app.questions import Question, of_metric, of_several, of_trend
from app.state import drill, drills
from app.tables import Column, Row, bar, change, places
from app.texts import text
from sql import query

METRIC = "utilization"
#: Headline metrics: metric, statistic.
HEADLINES = (("utilization", None), ("throughput", None), ("turnover", "p50"), ("turnover", "p90"),
             ("first_case_on_time", None))  # fmt: skip
#: What keeps the devices from work: slots that nobody fills, exams that go otherwise, standstill.
BESIDE = (("slot_fill", None), ("no_show_rate", None), ("late_cancel_rate", "24h"), ("scheduled_vs_performed", "late"),
          ("scheduled_vs_performed", "moved"), ("downtime", None), ("third_next_available", "p50"),
          ("exams_per_session", None), ("room_occupancy", None))  # fmt: skip
#: Devices of which a day is drawn.
DRAWN = 40
#: What becomes of a stay in a room.
FATES = ("used", "no_departure", "no_arrival", "too_long", "backwards", "unmapped")


def chosen_day(context: Context) -> date:
    """The day of the Gantt chart: as the URL says, else the last whole working day of the period."""
    given = context.state.own.get("day", "")
    try:
        return date.fromisoformat(given)
    except ValueError:
        until = context.filters.until or context.snapshot.data_through.date() + timedelta(days=1)
        last = min(until, context.snapshot.data_through.date()) - timedelta(days=1)
        return last - timedelta(days=max(last.isoweekday() - 5, 0))


def busiest(busy: pl.DataFrame, most: int) -> list[str]:
    """The devices with the longest busy time of intervals (device, busy_started_at, busy_ended_at), by name."""
    lasted = pl.col("busy_ended_at") - pl.col("busy_started_at")
    order = busy.group_by("device").agg(lasted.sum()).sort(pl.nth(1), "device", descending=[True, False])
    return sorted(order["device"].head(most).to_list())


def _on_day(context: Context, table_name: str, columns: tuple[str, ...], order: tuple[str, ...]) -> pl.DataFrame:
    on = chosen_day(context)
    one = Context(context.snapshot, context.state.having(since=on, until=on + timedelta(days=1)), context.person)
    return one.rows(table_name, columns=columns, order_by=order, limit=100_000)


def _busy(context: Context) -> pl.DataFrame:
    columns = ("device", "modality", "busy_started_local", "busy_started_at", "busy_ended_at", "n_exams",
               "gap_before_min", "is_turnover")  # fmt: skip
    frame = _on_day(context, "fct_device_busy", columns, ("device", "busy_started_at"))
    lasted = pl.col("busy_ended_at") - pl.col("busy_started_at")
    return frame.with_columns((pl.col("busy_started_local") + lasted).alias("busy_ended_local"))


def _staffed(context: Context) -> pl.DataFrame:
    columns = ("device", "opens_local", "closes_local")
    return _on_day(context, "fct_device_day", columns, ("device",)).drop_nulls("opens_local")


def _devices(context: Context) -> pl.DataFrame:
    found = context.compare(METRIC, ("device",))
    for name, metric, statistic in (
        ("turnover_p50", "turnover", "p50"),
        ("turnover_p90", "turnover", "p90"),
        ("throughput", "throughput", None),
        ("on_time", "first_case_on_time", None),
        ("room", "room_occupancy", None),
    ):
        frame = context.metric(metric, ("device",), statistic=statistic)
        found = found.join(frame.select("group_value", pl.col("value").alias(name)), on="group_value", how="left",
                           maintain_order="left")  # fmt: skip
    room = query.room_for(context.snapshot, context.filters)
    found = found.join(room, on="group_value", how="left", maintain_order="left")
    day = context.counts("fct_device_day", ("device", "modality"), sums=("n_exams", "overtime_min", "staffed_min"))
    return found.join(day.drop("n", "share"), left_on="group_value", right_on="device", how="left").sort(
        "value", descending=True, nulls_last=True
    )


def _rooms(context: Context) -> pl.DataFrame:
    """Occupancy of each facility's rooms beside what became of the told stays; one that tells of none is here, too."""
    told = context.counts("fct_room_stay", ("facility", "fate"))
    wide = told.pivot("fate", index="facility", values="n") if told.height else told.select("facility")
    missing = [pl.lit(None, pl.Int64).alias(fate) for fate in FATES if fate not in wide.columns]
    sites = context.metric(METRIC, ("facility",)).select(facility="group_value", utilization="value")
    rooms = context.metric("room_occupancy", ("facility",)).select(facility="group_value", n="n", value="value")
    found = sites.join(wide.with_columns(missing), on="facility", how="full", coalesce=True)
    return found.join(rooms, on="facility", how="left").select(
        "facility", "value", "utilization", "n", *FATES).sort("facility")  # fmt: skip


HEADLINE = Question("utilization.headline", of_several(HEADLINES), "", {"value": "-"})
GANTT = Question("utilization.day", _busy, "", {"gap_before_min": "min"})
WEEK = Question("utilization.week", of_metric("occupancy_by_hour", "weekday", "hour"), "occupancy_by_hour")
DEVICES = Question("utilization.devices", _devices, METRIC,
                   {"turnover_p50": "min", "turnover_p90": "min", "throughput": "exams/h", "on_time": "share",
                    "room": "share", "weekly": "exams/week", "overtime_min": "min", "staffed_min": "min"})  # fmt: skip
COURSE = Question("utilization.course", of_trend(METRIC), METRIC)
ROOMS = Question("utilization.rooms", _rooms, "room_occupancy", dict.fromkeys(FATES, "stays"))
BOOKED = Question("utilization.booked", of_several(BESIDE))
QUESTIONS = (HEADLINE, BOOKED, GANTT, WEEK, DEVICES, COURSE, ROOMS)


def render(context: Context) -> list[Any]:
    """The page."""
    cells, course = WEEK.ask(context), COURSE.ask(context)
    return [
        page_head(context, text("utilization.title"), text("utilization.lead")),
        tiles(context, HEADLINE, METRIC, named=lambda _, statistic: statistic != "value"),
        html.Div(
            [
                _devices_card(context),
                _gantt_card(context),
                numbers(context, BOOKED, wide=True),
                card(context, WEEK, shown(cells, lambda: graph(WEEK, week(
                    cells, context.scheme, unit="share", min_n=1,
                    href=drills(context.state, " | ".join(cross.HOURS), clock="started")),
                    260, context=context, by=cross.HOURS)), wide=True),
                card(context, ROOMS, _rooms_table(context), wide=True),
                card(context, COURSE, shown(course, lambda: noted(context, lambda pins: graph(COURSE, trend(
                    [Line(text("utilization.title"), course)], context.scheme, unit="share", y=text("figure.axis.busy"),
                    pins=pins,
                    href=lambda row: drill(context.state.having(since=row["period_start"], until=row["period_end"]),
                                           "all", "all", clock="started")), 240, by=(cross.PERIOD,)))), wide=True),
            ],
            className="grid",
        ),
        evidence.block(context, METRIC),
    ]  # fmt: skip


def _gantt_card(context: Context) -> html.Section:
    on = chosen_day(context)
    busy, staffed = GANTT.ask(context), _staffed(context)
    steps = html.Div(
        [
            dcc.Link("‹", href=context.state.href("/utilization", day=on - timedelta(days=1)), className="choice",
                     title=text("utilization.before")),
            html.Span(words.long_day(on), className="choice on", id="gantt-day"),
            dcc.Link("›", href=context.state.href("/utilization", day=on + timedelta(days=1)), className="choice",
                     title=text("utilization.after")),
        ],
        className="choices",
    )  # fmt: skip
    if busy.is_empty() and staffed.is_empty():
        return card(context, GANTT, empty(text("utilization.closed")), tools=steps, wide=True)
    one_day = context.state.having(since=on, until=on + timedelta(days=1))
    devices = {*busy["device"].to_list(), *staffed["device"].to_list()}
    drawn = sorted(devices) if len(devices) <= DRAWN else busiest(busy, DRAWN)
    made = day_figure(
        busy.filter(pl.col("device").is_in(drawn)), staffed.filter(pl.col("device").is_in(drawn)), on, context.scheme,
        name=lambda device: context.name("device", device),
        href=lambda device: drill(one_day, "device", device, clock="started"),
    )  # fmt: skip
    counts = {"n": words.count(len(drawn)), "all": words.count(len(devices))}
    told = html.P(text("utilization.busiest", **counts), className="note") if len(drawn) < len(devices) else None
    return card(
        context,
        GANTT,
        [told, graph(GANTT, made, 70 + 30 * len(drawn), context=context, by=("device",))],
        n=busy.height,
        tools=steps,
        wide=True,
    )


def _devices_card(context: Context) -> html.Section:
    frame = DEVICES.ask(context)

    def name(row: Row) -> Any:
        return cross.cell(context.name("device", row["group_value"]), drill(
            context.state, "device", row["group_value"], clock="started"), "device")  # fmt: skip

    columns = [
        Column(text("group.device"), name, is_text=True),
        bar(text("utilization.title"), "value", "share", 1.0),
        change(text("table.change"), "share"),
        Column(text("utilization.room"), lambda row: _of_room(row["room"]), hint=text("utilization.room.hint")),
        Column(text("utilization.exams"), lambda row: words.value(row["n_exams"], "exams")),
        Column(text("utilization.room_for"), _room_for, hint=text("utilization.room_for.hint")),
        Column(text("utilization.throughput"), lambda row: words.plain(row["throughput"])),
        Column(text("utilization.turnover"), lambda row: f"{words.value(row['turnover_p50'], 'min')} · "
               f"{words.value(row['turnover_p90'], 'min')}", hint=text("utilization.turnover.hint")),
        Column(text("utilization.on_time"), lambda row: words.value(row["on_time"], "share"),
               hint=text("utilization.on_time.hint")),
        Column(text("utilization.overtime"), lambda row: words.value(row["overtime_min"], "min"),
               hint=text("utilization.overtime.hint")),
    ]  # fmt: skip
    floor = context.definition(METRIC).min_n
    body = shown(frame, lambda: places(frame, columns, label=DEVICES.title, faint=lambda row: row["n"] < floor))
    return card(context, DEVICES, body, wide=True)


def _room_for(row: Row) -> Any:
    """Exams a week that the device could take more; a dash where it has no hours or its exams no length."""
    weekly = row["weekly"]
    if weekly is None:
        return words.NO_VALUE
    return many(html.Span, text("utilization.room_for.value", n=words.count(int(weekly))), className="room-for")


def _of_room(value: float | None) -> Any:
    """A share, or that nobody tells it: an empty room is another thing than a silent one."""
    if value is not None:
        return words.value(value, "share")
    return many(html.Span, text("utilization.unreported"), className="note")


def _rooms_table(context: Context) -> Any:
    frame = ROOMS.ask(context)

    def count(fate: str) -> Column:
        return Column(text(f"stay.{fate}"), lambda row: words.NO_VALUE if row[fate] is None else words.count(row[fate]),
                      hint=text(f"stay.{fate}.hint"))  # fmt: skip

    columns = [
        Column(text("group.facility"), lambda row: context.name("facility", row["facility"]), is_text=True),
        Column(text("utilization.room"), lambda row: _of_room(row["value"])),
        Column(text("utilization.title"), lambda row: words.value(row["utilization"], "share")),
        *map(count, FATES),
    ]
    return shown(frame, lambda: places(frame, columns, label=ROOMS.title, pressing=("n",)))
