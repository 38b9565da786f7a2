"""What the overview says in words, and how changes are coloured."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from plotly.io.json import to_json_plotly

from app import changes, scorecard, words
from app.context import Context
from app.habits import ask_ahead
from app.icons import sparkline
from app.pages import overview
from app.state import State
from app.tables import Column, table
from sql.snapshot import Snapshot, open_snapshot
from tests.app.conftest import LOCAL
from tests.snapshots import exam_row, snapshot_of


def row(**known: Any) -> dict[str, Any]:
    empty = {f"{m.name}{part}": None for m in scorecard.MEASURES
             for part in ("", "_n", "_delta", "_relative", "_verdict", "_is_clear")}  # fmt: skip
    return {"facility": "NORTH", "n_silent": 0, **empty, **known}


def frame(*rows: dict[str, Any]) -> pl.DataFrame:
    return pl.DataFrame(rows, infer_schema_length=None)


def test_the_scorecard_has_a_row_per_facility_and_the_numbers_of_the_metrics(context: Context) -> None:
    found = scorecard.scorecard(context)
    half = dict(
        context.metric("report_final", ("facility",), statistic="p50").select("group_value", "value").iter_rows()
    )
    assert dict(found.select("facility", "p50").drop_nulls().iter_rows()) == half
    assert found["facility"].to_list() == sorted(found["facility"].to_list())
    assert scorecard.network(context)["facility"].to_list() == ["all"]


def test_a_facility_in_a_sentence() -> None:
    known = row(p50=90.0, p50_delta=12.0, p50_is_clear=True, within=0.83, utilization=0.5)
    told = scorecard.sentence(known, "Northgate").replace(words.THIN, " ")
    assert told == (
        "Northgate: half of the exams have a final report within 1 h 30 (12 min slower), 83.0 % met their target, "
        "devices were busy 50.0 % of staffed time."
    )
    unclear = scorecard.sentence(row(p50=90.0, p50_delta=-12.0, p50_is_clear=False), "Northgate")
    assert unclear.endswith("(no clear change).")
    assert scorecard.sentence(row(), "Northgate") == "Northgate: no reports in this period."


def test_findings_come_gravest_first_and_only_when_clear(context: Context) -> None:
    calm = row(within=0.9, within_delta=-0.05, within_verdict="worse", within_is_clear=False)
    worse = row(within=0.6, within_delta=-0.2, within_verdict="worse", within_is_clear=True, past_target=3, waiting=9)
    nothing = {item.told for item in scorecard.findings(frame(calm), context)}
    found = scorecard.findings(frame(worse), context)
    own = [item for item in found if item.told not in nothing]
    assert [item.weight for item in own] == [2, 1]
    assert "60.0" in own[0].told
    assert own[0].href.startswith("/turnaround?facility=NORTH")
    assert "3 of 9" in own[1].told
    assert [item.weight for item in found] == sorted((item.weight for item in found), reverse=True)


def test_a_rise_of_repeats_while_the_data_begin_is_no_finding(tmp_path: Path) -> None:
    """The first weeks cannot know what was done before them, so nearly every site has such a rise."""
    days = [datetime(2026, 2, 1, 8) + timedelta(hours=4 * number) for number in range(6 * 84)]
    exams = [exam_row(60.0, f"{day}", exam_key=f"E{number}", exam_started_at=day, patient_key=f"P{number}",
                      region="head") for number, day in enumerate(days)]  # fmt: skip
    soon = {"kind": "repeat", "is_7d": True, "is_30d": True, "is_90d": True}
    repeats = [{"exam_key": f"E{number}", "exam_started_local": day, **soon}
               for number, day in enumerate(days) if day >= datetime(2026, 3, 29) and number % 2]  # fmt: skip
    snapshot = snapshot_of(tmp_path, datetime(2026, 4, 26), fct_exam=exams, fct_repeat=repeats)

    def told(since: str) -> tuple[date | None, bool]:
        asked = Context(snapshot, State.read(f"since={since}&until=2026-04-26&compare=previous",
                                             snapshot.data_through), LOCAL)  # fmt: skip
        return asked.short_until(30), "repeat one of" in str(scorecard.findings(scorecard.network(asked), asked))

    assert told("2026-03-31") == (None, True)  # compared with 5 to 30 March
    assert told("2026-03-29") == (date(2026, 3, 3), False)  # with 1 to 28 March


def test_a_silent_sender_is_named_with_its_rhythm(tmp_path: Path) -> None:
    days = {"facility": "NORTH", "standard": "dicom", "longest_pause_days": 2, "n_events_7d": 0}
    senders = [
        {**days, "source": "CT1", "silent_hours": 240.0, "is_silent": True},
        {**days, "source": "IMPORT", "silent_hours": 400.0, "is_silent": None},
        {**days, "source": "MR1", "silent_hours": 30.0, "is_silent": False},
    ]
    snapshot = snapshot_of(tmp_path, datetime(2026, 3, 3), dq_freshness=senders, fct_exam=[exam_row(60.0)])
    context = Context(snapshot, State.read("", snapshot.data_through), LOCAL)
    (found,) = scorecard.findings(scorecard.scorecard(context), context)
    assert found.told.replace(words.THIN, " ") == "NORTH: CT1 sent nothing for 10 d; its longest pause so far was 2 d"
    assert scorecard.scorecard(context)["n_silent"].to_list() == [1]


@pytest.mark.parametrize(
    ("verdict", "is_clear", "relative", "kind"),
    [("worse", True, 0.01, "worse"), ("worse", False, 0.5, "same"), ("better", None, 0.2, "better"),
     ("better", None, 0.05, "same"), (None, None, None, "same"), ("same", True, 0.0, "same")],
)  # fmt: skip
def test_a_change_is_coloured_only_beyond_chance_or_when_noteworthy(
    verdict: str | None, is_clear: bool | None, relative: float | None, kind: str
) -> None:
    assert changes.kind({"verdict": verdict, "is_clear": is_clear, "relative": relative}) == kind


@pytest.mark.parametrize(("delta", "shown"), [(0.4, "same"), (0.6, "worse"), (-0.4, "same"), (None, "same")])
def test_a_change_that_rounds_to_nothing_has_no_colour(delta: float | None, shown: str) -> None:
    row = {"delta": delta, "relative": 0.1, "verdict": "worse", "is_clear": True}
    assert changes.shown(row, "min").className == f"delta {shown}"


def test_a_course_leaves_out_the_period_that_is_not_over(context: Context) -> None:
    frame = overview.COURSE.ask(context).with_columns(is_partial=pl.col("period_start") == pl.col("period_start").max())
    courses = overview.courses_of(frame)
    assert set(courses) == {"all", *frame.filter(pl.col("group_value") != "all")["group_value"]}
    for facility, values in courses.items():
        told = frame.filter(pl.col("group_value") == facility, ~pl.col("is_partial"))
        assert values == told.sort("period_start")["value"].to_list()


def test_a_sparkline_keeps_gaps_and_marks_the_last_point() -> None:
    drawn = sparkline([1.0, None, 3.0, 2.0], "course").style["maskImage"]
    assert drawn.count("M") == 2
    assert "cx=%2293.0%22" in drawn
    assert sparkline([1.0], "course").children == ""


def test_a_table_keeps_the_order_says_what_is_left_and_greys_small_rows() -> None:
    made = table(pl.DataFrame({"n": [30, 2, 9]}), [Column("n", lambda r: r["n"])], label="Counts", limit=2,
                 faint=lambda r: r["n"] < 5)  # fmt: skip
    body = made.children[0].children.children[1].children
    assert [line.children[0].children for line in body] == [30, 2]
    assert [line.className for line in body] == [None, "faint"]
    assert made.children[1].children == "1 more in the CSV file"


def test_a_finding_says_since_when_and_what_made_most_of_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """CT takes twice as long from 11 March on; MR, as many, never changes."""
    exams = [
        exam_row(200.0 if kind == "CT" and day >= 38 else 100.0 if kind == "CT" else 105.0 + number,
                 f"{datetime(2026, 2, 1, 8 + number) + timedelta(days=day)}", modality=kind)
        for day in range(56) for number in range(6) for kind in ("CT", "MR")
    ]  # fmt: skip
    snapshot = snapshot_of(tmp_path, datetime(2026, 3, 29), fct_exam=exams)
    asked = "since=2026-03-01&until=2026-03-29&compare=previous"
    context = Context(snapshot, State.read(asked, snapshot.data_through), LOCAL)
    card = pl.concat([scorecard.network(context), scorecard.scorecard(context)], how="vertical_relaxed")
    told = {item.told: item.why.replace(words.THIN, " ") for item in scorecard.findings(card, context)}
    (why,) = {why for line, why in told.items() if "half of the reports" in line}
    assert why.startswith("since about 11 Mar 2026, most from CT (+")
    assert all(item.whole == f"{item.told}; {item.why}" for item in scorecard.findings(card, context) if item.why)
    other = replace(context, snapshot=open_snapshot(snapshot.path))
    found = scorecard.findings(card, other)
    other.trend("report_final")  # as the page has: how far the data reach is asked once a snapshot
    ask_ahead(other.snapshot, [call for item in found for call in item.questions])
    monkeypatch.setattr(Snapshot, "_run", lambda *_, **__: pytest.fail("a finding asks what was not foreseen"))
    assert {item.told: why.replace(words.THIN, " ") for item, why in scorecard.explained(found, other)} == told


def test_what_is_too_much_to_read_is_folded_and_not_asked_why(
    context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []

    def findings(*_: Any) -> list[scorecard.Finding]:
        def of(number: int) -> scorecard.Finding:
            return scorecard.Finding(2, f"finding {number}", "/", lambda: f"why {asked.append(number) or number}")

        return [of(number) for number in range(overview.MOST + 3)]

    monkeypatch.setattr(scorecard, "findings", findings)
    told = to_json_plotly(overview.render(context))
    assert asked == list(range(overview.MOST))
    assert f"finding {overview.MOST + 2}" in told
    assert "3 more" in told
