"""Views: a page in a state as one answer to a browser, made once for a snapshot and kept as it is sent.

The key holds all that the answer depends on: the snapshot, the newest one and those kept, the day, the page, filters
and own keys, the colour scheme, the language and what the person may see. The answer is made from that same snapshot
object.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from typing import Any

from app import answers, filterbar, notes, shell
from app.bodies import Body
from app.context import Context
from app.figures.base import template
from app.gate import Gate, Once
from app.guard import Person
from app.pages import BY_PATH
from app.sent import to_json
from app.state import State
from app.warm import Asked, Prepare, Recent, Warmer
from sql.cache import BoundedCache
from sql.filters import FilterError
from sql.snapshot import SnapshotError, Store
from sql.words import language, speaking

#: Bytes of answers that one process keeps.
KEPT_BYTES = 64 * 2**20
SCHEMES = ("light", "dark")


class Views:
    """The views of one process."""

    def __init__(self, store: Store, gate: Gate, max_bytes: int = KEPT_BYTES) -> None:
        self._store, self._gate, self._recent = store, gate, Recent()
        self._kept: BoundedCache[Body] = BoundedCache(Body.size, max_bytes)
        self._once: Once[Body] = Once(gate)

    def view(self, person: Person, path: str, search: str, scheme: str, chosen: Mapping[str, Any]) -> Body:
        """A page in the state of an address, after a person used the controls in `chosen` (values by id).

        Raises Busy, and ValueError for a value that no control has.
        """
        asked, body = self._made(person, path, search, scheme if scheme in SCHEMES else SCHEMES[0], chosen)
        if asked is not None:
            self._recent.note(asked)
        return body

    def keep_warm(self, person: Person, prepare: Prepare) -> None:
        """Make the views of each new snapshot beforehand, for as long as the process lives (`app.warm`)."""
        self.warmer(prepare).start(person)

    def warmer(self, prepare: Prepare | None = None, between: Callable[[], object] | None = None) -> Warmer:
        """What makes views beforehand: what was asked of these."""

        def make(asked: Asked) -> None:
            with speaking(asked.language):
                self._made(asked.person, asked.path, asked.query, asked.scheme, {})

        return Warmer(self._store, self._gate, self._recent, make, prepare, between)

    def _made(
        self, person: Person, path: str, search: str, scheme: str, chosen: Mapping[str, Any]
    ) -> tuple[Asked | None, Body]:
        """A view, with how it is asked for again; None where it is no page of data."""
        try:
            snapshot, newest = answers.asked(self._store, search), self._store.current()
            state = filterbar.after(chosen, State.read(search, snapshot.data_through), snapshot.data_through)
        except SnapshotError:
            return None, _body(answers.absent(self._store))
        except FilterError as error:
            return None, _body(answers.plain("problem.filter", snapshot, why=str(error)))
        if path not in BY_PATH:
            return None, _body(answers.plain("problem.unknown", snapshot))
        key: Hashable = (
            snapshot.id, newest.id, self._store.numbers(), shell.silent_hours(snapshot), path, state.query(), scheme,
            language(), person.facilities, person.sees_readers, BY_PATH[path].depends(self._store),
            person.name if BY_PATH[path].is_personal else "",
            notes.key(self._store, person, snapshot, state.filters),
        )  # fmt: skip

        def made() -> Body:
            if (kept := self._kept.get(key)) is not None:  # made by another while this one waited
                return kept
            answer = answers.shown(Context(snapshot, state, person, scheme, self._store), path)
            controls = filterbar.values(state, snapshot.data_through)
            body = _body(answer, newest=newest.id, query=state.query(), values=controls, template=template(scheme))
            self._kept.put(key, body)
            return body

        return Asked(person, path, state.query(), scheme, language()), self._kept.get(key) or self._once.make(key, made)


def _body(answer: answers.Answer, **more: Any) -> Body:
    """An answer as the browser's script reads it."""
    return Body(to_json(answer._asdict() | more), "application/json")
