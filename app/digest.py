"""The daily digest: what the overview says, in words, as a letter. The same questions are asked as the page asks.

It tells of all that a person of the given facilities may see, and never of single readers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from app import changes, moves, notes, saved, scorecard, words
from app.context import Context
from app.everywhere import kept_to
from app.figures.pins import span
from app.guard import Person
from app.noted import place, who
from app.pages import overview
from app.shell import silent_hours
from app.state import State
from app.texts import text, texts
from app.theme import DARK, FONT, LIGHT
from sql.snapshot import Store
from sql.team import saved as kept
from sql.team.digests import Letter
from sql.team.notes import Note
from sql.words import ENGLISH, language, speaking
from sql.written import is_told

#: Templates of the letter, in HTML and in plain text.
TEMPLATES = Path(__file__).parent / "mail"
#: Days back for which notes are told; findings and notes that are told at most.
NOTE_DAYS, MOST_FINDINGS, MOST_NOTES = 7, 8, 12
#: Texts that the templates say themselves.
_SAID = "digest.said."


class Line(NamedTuple):
    """Something with a link: words, address, and how grave it is (2 act, 1 watch)."""

    told: str
    href: str
    weight: int = 0
    more: str = ""


class Cell(NamedTuple):
    """A number of the table, its change, and whether that is better, worse or the same."""

    value: str
    change: str = ""
    kind: str = "same"


def compose(
    store: Store,
    facilities: tuple[str, ...] | None,
    views: Sequence[str],
    dashboard: str,
    day: date,
    language: str = ENGLISH,
) -> Letter:
    """The letter of a day in a language for who may see some facilities (None: all), with links to some views.

    `dashboard` is the address under which readers open the dashboard. Raises SnapshotError.
    """
    with speaking(language):
        return _composed(store, facilities, views, dashboard, day)


def _composed(
    store: Store, facilities: tuple[str, ...] | None, views: Sequence[str], dashboard: str, day: date
) -> Letter:
    snapshot = store.current()
    person = Person("digest", facilities)
    context = Context(snapshot, State.read("", snapshot.data_through), person, store=store)
    told = _told(context, dashboard.rstrip("/"), day) | {"views": _views(store, person, views, dashboard.rstrip("/"))}
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES), undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True,
        autoescape=select_autoescape(enabled_extensions=("html",), default=False),
    )  # fmt: skip
    made = {ending: environment.get_template(f"digest.{ending}").render(told) for ending in ("html", "txt")}
    return Letter(told["subject"], made["html"], made["txt"])


def _told(context: Context, dashboard: str, day: date) -> dict[str, Any]:
    """Everything that the templates put into words."""
    frame, whole = overview.FACILITIES.ask(context), overview.NETWORK.ask(context)
    card = pl.concat([whole, frame])
    found = scorecard.findings(card, context)
    grave = sum(item.weight == 2 for item in found)
    snapshot, hours = context.snapshot, silent_hours(context.snapshot)
    said = text("digest.subject.calm") if not found else text(
        "digest.subject.found", grave=grave, all=len(found))  # fmt: skip
    stale = "" if hours is None else text("shell.stale", age=words.minutes(hours * 60))
    return {
        "subject": text("digest.subject", day=words.day(day), said=text("digest.subject.stale") if stale else said),
        "day": words.day(day), "said": said, "stale": stale,
        "lead": context.filters.sentence() + kept_to(snapshot),
        "sentences": [scorecard.sentence(row, scorecard.name_of(row["facility"], context))
                      for row in card.iter_rows(named=True)],
        "findings": [Line(item.whole, dashboard + item.href, item.weight) for item in found[:MOST_FINDINGS]],
        "more_findings": text("digest.more", n=len(found) - MOST_FINDINGS) if len(found) > MOST_FINDINGS else "",
        "changed": _changed(context), "heads": [text(f"digest.head.{name}") for name in _HEADS],
        "rows": [[scorecard.name_of(row["facility"], context), *_cells(row)] for row in card.iter_rows(named=True)],
        "notes": [_note(context, note) for note in recent(context)][-MOST_NOTES:],
        "facts": text("evidence.facts", through=words.instant(snapshot.data_through), snapshot=snapshot.id),
        "built": text("digest.built", at=words.instant(snapshot.built_at)),
        "home": f"{dashboard}/", "manage": f"{dashboard}/team", "lang": language(), "font": FONT,
        "light": LIGHT, "dark": DARK,
        "t": {key.removeprefix(_SAID): told for key, told in texts().items() if key.startswith(_SAID)},
    }  # fmt: skip


_HEADS = ("facility", "n", "p50", "within", "utilization", "waiting")


def _cells(row: Mapping[str, Any]) -> list[Cell]:
    """The numbers of a facility, written as on the overview."""
    measures = {measure.name: measure for measure in scorecard.MEASURES}
    late = row["past_target"]
    return [
        Cell(words.value(row["p50_n"], "exams")),
        *(Cell(words.value(row[name], measures[name].unit), *_change(row, name, measures[name].unit))
          for name in ("p50", "within", "utilization")),
        Cell(words.value(row["waiting"], "exams"), "" if late is None else text("overview.past", n=words.count(late)),
             "worse" if late else "same"),
    ]  # fmt: skip


def _change(row: Mapping[str, Any], name: str, unit: str) -> tuple[str, str]:
    delta = row[f"{name}_delta"]
    if delta is None:
        return "", "same"
    return words.delta(delta, unit), changes.kind(row, f"{name}_") if is_told(delta, unit) else "same"


def _changed(context: Context) -> str:
    """What changed most and why, as the overview says it."""
    metric, statistic = context.definition(overview.CHANGED), overview.CHANGED_STATISTIC
    whole = context.compare(overview.CHANGED, (), statistic)
    return moves.sentence(context, metric, statistic, whole, overview.EFFECTS.ask(context))


def recent(context: Context) -> list[Note]:
    """Notes on the last days of the data, and those that were written or changed since."""
    if context.store is None:
        return []
    first = context.snapshot.data_through.date() - timedelta(days=NOTE_DAYS)
    found = [note for note in notes.visible(context.store, context.person) if not note.is_withdrawn]
    return [note for note in found if note.until > first or note.at >= datetime.combine(first, datetime.min.time())]


def _note(context: Context, note: Note) -> dict[str, str]:
    return {"days": span(note.since, note.last), "place": place(context, note.filters), "text": note.text,
            "who": who(note)}  # fmt: skip


def _views(store: Store, person: Person, ids: Sequence[str], dashboard: str) -> list[Line]:
    """Links to views; those that tell of what the person may not see, and statements, are left out."""
    found = kept.chosen(notes.team_of(store), ids) if ids else []
    return [
        Line(view.name, dashboard + view.href, more=saved.told(view))
        for view in found
        if view.kind == kept.PAGE and kept.may_open(view, person.facilities, person.sees_readers)
    ]
