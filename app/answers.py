"""What views and routes answer. Each answer is made from one snapshot, taken once."""

from __future__ import annotations

import json
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

from dash import no_update

from app import shell
from app.context import Context
from app.decisions import decide
from app.editions import content, edition_of, folder_of
from app.failure import LOG, told
from app.freshness import age
from app.guard import Person
from app.habits import Habits
from app.pages import BY_PATH, QUESTIONS
from app.pages.mappings import queue
from app.state import State
from app.texts import text
from sql.csv_text import to_csv
from sql.definitions import is_current
from sql.filters import FilterError
from sql.snapshot import Snapshot, SnapshotError, Store
from sql.words import ENGLISH, speaking


class Answer(NamedTuple):
    """Everything that changes with the page: by name."""

    page: Any
    nav: Any
    status: Any
    banner: Any
    title: str
    has_no_filters: bool
    look_every: int = shell.LOOK_EVERY


class Download(NamedTuple):
    """A CSV file and its name; `snapshot` says what it was asked of."""

    name: str
    body: bytes
    snapshot: str


#: Digits of a snapshot's number at most: of thousands, Python makes no number.
DIGITS = 18
#: Of this process: what each page asked the last time.
HABITS = Habits()
#: Pages that show the same whatever is filtered.
_UNFILTERED = frozenset({"definitions", "exam", "reports", "sql", "team"})


def asked(store: Store, search: str) -> Snapshot:
    """The snapshot that an address names by its number, else the newest. Raises SnapshotError where it is not kept."""
    known = dict(parse_qsl((search or "").removeprefix("?"))).get("known", "")
    if not known.isdecimal():
        return store.current()
    if len(known) > DIGITS:
        raise SnapshotError("no snapshot has a number of so many digits")
    return store.at(int(known))


def page(store: Store, person: Person, pathname: str, search: str, scheme: str) -> Answer:
    """A page in a state. What is wrong with the address or the data is said on the page."""
    try:
        snapshot = asked(store, search)
        state = State.read(search, snapshot.data_through)
    except SnapshotError:
        return absent(store)
    except FilterError as error:
        return plain("problem.filter", snapshot, why=str(error))
    return shown(Context(snapshot, state, person, scheme, store), pathname)


def shown(context: Context, pathname: str) -> Answer:
    """The page of a path in a context."""
    current = BY_PATH.get(pathname)
    if current is None:
        return plain("problem.unknown", context.snapshot)
    snapshot, state = context.snapshot, context.state
    try:
        with HABITS.of((pathname, state.own.get("metric")), snapshot, context.filters, context.grain):
            body = shell.page_body(context, current)
    except Exception as error:
        if is_current(snapshot):
            raise
        LOG.warning("an older snapshot cannot show %s: %s", current.name, told(error))
        body = shell.problem(text("problem.older.title"), text("problem.older.hint"))
    return Answer(
        body, shell.nav(state, current), shell.status(snapshot), shell.banner(context),
        f"{text(f'page.{current.name}')} · {text('shell.name')}", current.name in _UNFILTERED,
        current.look_every or shell.LOOK_EVERY,
    )  # fmt: skip


def plain(key: str, snapshot: Snapshot | None = None, why: str = "") -> Answer:
    """A page that says what is wrong, with the menu where there is something to lead to."""
    title = text(f"{key}.title")
    body = shell.problem(title, text("problem.why", why=why) if why else text(f"{key}.hint"))
    menu = [] if snapshot is None else shell.nav(State.read("", snapshot.data_through), None)
    return Answer(body, menu, [], None, f"{title} · {text('shell.name')}", has_no_filters=True)


def absent(store: Store) -> Answer:
    """A page of a snapshot that is not there: nothing is published yet, or the one that the address names is gone."""
    try:
        return plain("problem.gone", store.current())
    except SnapshotError:
        return plain("problem.unpublished")


def snapshot_id(store: Store) -> str | None:
    """Id of the newest snapshot, None before the first."""
    try:
        return store.current().id
    except SnapshotError:
        return None


def age_headers(store: Store) -> dict[str, str]:
    """How old the newest snapshot's data are by the server's clock, in words (a JSON string), and whether too old."""
    try:
        old = age(store.current())
    except SnapshotError:
        return {}
    return {"X-Radops-Age": json.dumps(old.told), "X-Radops-Stale": str(int(old.is_stale))}


def download(store: Store, person: Person, question_id: str, search: str) -> Download | None:
    """The CSV of a question, asked as the page asks it; None where there is no such question. Raises FilterError."""
    question = QUESTIONS.get(question_id)
    if question is None:
        return None
    snapshot = asked(store, search)
    context = Context(snapshot, State.read(search, snapshot.data_through), person, store=store)
    with speaking(ENGLISH):  # files are compared from month to month, whoever takes them
        frame, units = question.ask(context), question.csv_units(context)
    filters = context.filters
    dates = "_".join(day.isoformat() for day in (filters.since, filters.until) if day is not None) or "all-days"
    name = f"radops_{question_id.replace('.', '_')}_{dates}_{snapshot.id}.csv"
    return Download(name, to_csv(frame, units=units), snapshot.id)


def pack_file(store: Store, person: Person, key: str, name: str) -> Download | None:
    """A file of an edition as it was written, or its manifest; None where there is none that the person may take.

    A pack tells of all facilities: who may not see them all gets the same answer as for a pack that is not there.
    Raises Damaged.
    """
    edition = edition_of(folder_of(store), key) if person.facilities is None else None
    file = None if edition is None else edition.file(name)
    if edition is None or file is None:
        return None
    told = name if edition.period in name else f"radops_{edition.period}_{name}"
    return Download(told, content(edition, file), edition.snapshot)


def decided(
    store: Store, person: Person, search: str, chosen: dict[str, str | None], decided_by: str, valid_from: str
) -> tuple[Any, str]:
    """The file of a person's decisions as Dash downloads it, and what is said of it."""
    snapshot = store.current()
    context = Context(snapshot, State.read(search or "", snapshot.data_through), person)
    known = context.rows("dim_procedure", columns=("procedure",), limit=100_000)["procedure"].to_list()
    made = decide(queue(context), known, chosen, decided_by, valid_from)
    if not made.body:
        return no_update, made.told
    file = {"content": made.body.decode("utf-8"), "filename": f"radops_decisions_{snapshot.id}.csv", "type": "text/csv"}
    return file, made.told
