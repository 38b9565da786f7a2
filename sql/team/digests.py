"""Who receives the daily digest, and what became of each message: sent at most once a day to each."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import ColumnElement, delete, func, insert, select, text, update

from sql.team import tables
from sql.team.store import Team, TeamError, now
from sql.team.words import address, known_id, new_id
from sql.words import ENGLISH, LANGUAGES

SENDING, SENT, FAILED = "sending", "sent", "failed"
#: Subscriptions of a store, and views of one, at most.
MOST_SUBSCRIBERS, MOST_VIEWS = 500, 20


@dataclass(frozen=True, slots=True)
class Subscriber:
    """An address with the views whose links it receives, the facilities that who entered it may see (None: all), and
    the language of its letter."""

    id: str
    address: str
    author: str
    facilities: tuple[str, ...] | None
    created_at: datetime
    views: tuple[str, ...]
    language: str = ENGLISH


@dataclass(frozen=True, slots=True)
class Letter:
    """A digest as it is sent: subject, a whole HTML page, and the same in plain text."""

    subject: str
    html: str
    text: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of the newest message to a subscriber; `problem` is a word for why it could not be sent."""

    day: date
    state: str
    problem: str
    tries: int
    at: datetime


def subscribe(
    team: Team,
    to: str,
    views: Sequence[str],
    author: str,
    facilities: tuple[str, ...] | None,
    language: str = ENGLISH,
) -> str:
    """Send the digest to an address from now on; gives the id. Raises TeamError, also where it goes there already."""
    made, kept = new_id(), address(to)
    with team.writing() as connection:
        known = connection.execute(select(tables.subscriber.c.address)).scalars().all()
        if kept.lower() in {one.lower() for one in known}:
            raise TeamError("subscribed")
        if len(known) >= MOST_SUBSCRIBERS:
            raise TeamError("many")
        scope = None if facilities is None else json.dumps(facilities)
        connection.execute(insert(tables.subscriber).values(
            id=made, address=kept, author=author, facilities=scope, created_at=now()))  # fmt: skip
        if rows := _views(made, views):
            connection.execute(insert(tables.subscribed), rows)
        connection.execute(insert(tables.spoken).values(subscriber=made, language=_known(language)))
    return made


def choose(team: Team, subscriber_id: str, views: Sequence[str], author: str, language: str = ENGLISH) -> None:
    """Set the views and the language of a subscription that the author made. Raises TeamError."""
    rows = _views(known_id(subscriber_id), views)
    with team.writing() as connection:
        asked = select(func.count()).select_from(tables.subscriber)
        if not connection.execute(asked.where(_own(subscriber_id, author))).scalar_one():
            raise TeamError("gone")
        connection.execute(delete(tables.subscribed).where(tables.subscribed.c.subscriber == subscriber_id))
        if rows:
            connection.execute(insert(tables.subscribed), rows)
        connection.execute(delete(tables.spoken).where(tables.spoken.c.subscriber == subscriber_id))
        connection.execute(insert(tables.spoken).values(subscriber=subscriber_id, language=_known(language)))


def unsubscribe(team: Team, subscriber_id: str, author: str) -> None:
    """End a subscription that the author made. Raises TeamError."""
    with team.writing() as connection:
        if not connection.execute(delete(tables.subscriber).where(_own(subscriber_id, author))).rowcount:
            raise TeamError("gone")
        for table in (tables.subscribed, tables.spoken):
            connection.execute(delete(table).where(table.c.subscriber == subscriber_id))


def _known(language: str) -> str:
    if language not in LANGUAGES:
        raise TeamError("gone")
    return language


def _own(subscriber_id: str, author: str) -> ColumnElement[bool]:
    return (tables.subscriber.c.id == known_id(subscriber_id)) & (tables.subscriber.c.author == author)


def _views(subscriber_id: str, views: Sequence[str]) -> list[dict[str, str]]:
    if len(views) > MOST_VIEWS:
        raise TeamError("many")
    return [{"subscriber": subscriber_id, "view": known_id(view)} for view in dict.fromkeys(views)]


def subscribers(team: Team) -> list[Subscriber]:
    """All subscribers in the order in which they came."""
    views: dict[str, list[str]] = {}
    for row in team.rows(select(tables.subscribed)):
        views.setdefault(row["subscriber"], []).append(row["view"])
    spoken = {row["subscriber"]: row["language"] for row in team.rows(select(tables.spoken))}
    came = tables.subscriber.c.created_at, text("rowid")  # two of one second: as they were written
    found = team.rows(select(tables.subscriber).order_by(*came))
    return [
        Subscriber(row["id"], row["address"], row["author"], _scope(row["facilities"]), row["created_at"],
                   tuple(sorted(views.get(row["id"], ()))), spoken.get(row["id"], ENGLISH))
        for row in found
    ]  # fmt: skip


def _scope(told: str | None) -> tuple[str, ...] | None:
    return None if told is None else tuple(json.loads(told))


def claim(team: Team, to: str, day: date, snapshot: str) -> str | None:
    """Take a message of a day upon oneself: None where it is one's own to send now, else what became of it.

    What another process is sending, or was sending when it died, is not sent again: it may have arrived.
    """
    key = (tables.sent.c.subscriber == to) & (tables.sent.c.day == day)
    with team.writing() as connection:
        state = connection.execute(select(tables.sent.c.state).where(key)).scalar_one_or_none()
        if state is None:
            connection.execute(insert(tables.sent).values(
                subscriber=to, day=day, snapshot=snapshot, state=SENDING, problem="", tries=1, at=now()))  # fmt: skip
            return None
        if state != FAILED:
            return str(state)
        again = {"state": SENDING, "snapshot": snapshot, "problem": "", "tries": tables.sent.c.tries + 1, "at": now()}
        connection.execute(update(tables.sent).where(key).values(again))
    return None


def settle(team: Team, to: str, day: date, problem: str = "") -> None:
    """Write down what became of a message: sent, or why not."""
    key = (tables.sent.c.subscriber == to) & (tables.sent.c.day == day)
    values = {"state": FAILED if problem else SENT, "problem": problem, "at": now()}
    with team.writing() as connection:
        connection.execute(update(tables.sent).where(key).values(values))


def outcomes(team: Team) -> dict[str, Outcome]:
    """What became of the newest message to each subscriber."""
    found = team.rows(select(tables.sent).order_by(tables.sent.c.day))
    return {
        row["subscriber"]: Outcome(row["day"], row["state"], row["problem"], row["tries"], row["at"]) for row in found
    }
