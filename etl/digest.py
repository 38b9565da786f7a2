"""The digest of a day: its file, and one message a reader, each at most once a day however often it is started."""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from etl.durable import write_synced
from etl.home import Home
from etl.mail import OF_ALL, PROBLEMS, Post, Server, Unsent, message, server_of
from sql.team.digests import SENDING, SENT, Letter, claim, settle, subscribers
from sql.team.store import Team, TeamError
from sql.team.words import address
from sql.words import ENGLISH

#: Where the files of digests lie, below the exports.
FOLDER = "digest"
#: Makes the letter of a day: facilities that its reader may see, ids of views, language.
Compose = Callable[[tuple[str, ...] | None, Sequence[str], str], Letter]


@dataclass(frozen=True, slots=True)
class Reader:
    """Whom a digest goes to: the key under which that is remembered, the address, and what the letter is made for."""

    key: str
    address: str
    facilities: tuple[str, ...] | None = None
    views: tuple[str, ...] = ()
    language: str = ENGLISH


def digest(
    home: Home, compose: Compose, snapshot: str, to: Sequence[str] = (), now: datetime | None = None
) -> dict[str, Any]:
    """Write the day's file and send what was not sent today; `to` names readers in place of the subscribers.

    Gives file, snapshot, day, and how many were sent, had it already, failed (by reason), or are unknown because a
    process died while it sent. The day is this machine's. Raises SettingsError, TeamError.
    """
    at = now or datetime.now().astimezone()
    server, team = server_of(home.settings), Team.beside(home.published)
    path = _write(home, at.date(), compose(None, (), ENGLISH).html)
    readers = list(_named(to)) if to else [
        Reader(one.id, one.address, one.facilities, one.views, one.language) for one in subscribers(team)]  # fmt: skip
    fates: Counter[str] = Counter()
    if server is not None:
        post = Post(server)
        try:
            for fate in _send_all(post, server, team, readers, compose, (at, snapshot)):
                fates[fate] += 1
        finally:
            post.close()
    problems = {PROBLEMS[name]: fates[name] for name in PROBLEMS if fates[name]}
    return {
        "file": str(path), "day": at.date().isoformat(), "snapshot": snapshot, "readers": len(readers),
        "sent": fates[SENT], "already": fates["already"], "failed": sum(problems.values()), "unknown": fates["unknown"],
        "problems": problems, "has_server": server is not None,
    }  # fmt: skip


def _named(to: Sequence[str]) -> Iterator[Reader]:
    for one in dict.fromkeys(address(told) for told in to):
        yield Reader(f"to:{one.lower()}", one)


def _write(home: Home, day: date, html: str) -> Path:
    """The digest of all facilities as a file that replaces the day's earlier one."""
    folder = home.exports / FOLDER
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / f"{day.isoformat()}.html"
    beside = path.with_suffix(f".{os.getpid()}.part")
    write_synced(beside, html.encode("utf-8"))
    beside.replace(path)
    return path


def _send_all(
    post: Post, server: Server, team: Team, readers: Sequence[Reader], compose: Compose, of: tuple[datetime, str]
) -> Iterator[str]:
    """What became of each reader's message: sent, already, unknown, or a key of PROBLEMS.

    After a problem that all messages would have, the others are not tried: they stay unsent for the next start.
    """
    at, snapshot = of
    broken = ""
    for reader in readers:
        state = claim(team, reader.key, at.date(), snapshot)
        if state is not None:
            yield "already" if state == SENT else "unknown" if state == SENDING else state
            continue
        problem = broken or _send(post, server, reader, compose, at)
        settle(team, reader.key, at.date(), problem)
        if problem in OF_ALL:
            broken = problem
        yield problem or SENT


def _send(post: Post, server: Server, reader: Reader, compose: Compose, at: datetime) -> str:
    name = hashlib.sha256(f"{reader.key} {at.date()}".encode()).hexdigest()[:24]
    try:
        letter = compose(reader.facilities, reader.views, reader.language)
        made = message(letter, server.sender, reader.address, at, f"radops-{at.date():%Y%m%d}-{name}")
        server.must_allow(reader.address)
        post.send(made)
    except Unsent as error:
        return error.problem
    except TeamError:
        return "refused"
    return ""
