"""What a page shows, as its URL says it: the filters, and the page's own keys (day, statistic, sorting, ...).

The URL's query string is the only state. Links, the filter bar, the back button and CSV addresses are all written here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any, Self
from urllib.parse import parse_qsl, quote_plus

from sql.catalog import Catalog
from sql.filters import KEYS, FilterError, Filters
from sql.words import said

#: Keys that are no filters: a page's own choices. Unknown keys of a URL are ignored.
OWN_KEYS = ("stat", "day", "show", "sort", "page", "exam", "clock", "metric", "by",
            "moved", "grain", "known", "then", "change", "wall", "edition")  # fmt: skip
#: Value of `period` that asks for every day.
ALL_DAYS = "all"
#: Keys that an address need not name: the last weeks, beside those before.
_USUAL = ("since", "until", "compare")
#: The order of keys in an address.
_PLACES = {key: place for place, key in enumerate(("since", "until", *KEYS, "compare", "period", *OWN_KEYS))}
#: A page has hundreds of links, which share most of their parts.
_quoted = lru_cache(maxsize=8192)(quote_plus)


@dataclass(frozen=True, slots=True)
class State:
    """Filters and own keys of one page. `is_default` where the URL names no dates: the last weeks of the data."""

    filters: Filters
    own: dict[str, str] = field(default_factory=dict)
    is_default: bool = False

    @classmethod
    def read(cls, search: str, data_through: datetime) -> Self:
        """The state of a URL's query string. Raises FilterError, safe to show."""
        pairs = dict(parse_qsl((search or "").removeprefix("?")))
        filters = Filters.from_query(search or "")
        own = {key: pairs[key] for key in OWN_KEYS if key in pairs}
        if not own.get("known", "0").isdecimal():
            raise FilterError(said("known is the number of a snapshot"))
        if "metric" in own and own["metric"] not in Catalog.load().metrics:
            raise FilterError(said("there is no such metric"))
        if filters.since is not None or filters.until is not None or pairs.get("period") == ALL_DAYS:
            return cls(filters, own)
        if pairs.get("period"):
            raise FilterError(said("period is {all} or absent", all=ALL_DAYS))
        default = Filters.default(data_through)
        compare = filters.compare if "compare" in pairs else default.compare
        return cls(filters.replace(since=default.since, until=default.until, compare=compare), own, is_default=True)

    def query(self) -> str:
        """The query string that `read` reads as this state, without `?`; scope is never written."""
        return "&".join(f"{_quoted(key)}={_quoted(value)}" for key, value in self.pairs())

    def pairs(self) -> list[tuple[str, str]]:
        """Keys and values of the query string, in its order."""
        filters = self.filters
        pairs = filters.pairs()
        if self.is_default:
            pairs = [pair for pair in pairs if pair[0] not in _USUAL]
            pairs += [] if filters.compare == "previous" else [("compare", filters.compare)]
        elif filters.since is None and filters.until is None:
            pairs.append(("period", ALL_DAYS))
        return [*pairs, *((key, self.own[key]) for key in OWN_KEYS if key in self.own)]

    def having(self, **changes: Any) -> Self:
        """A copy with filter fields or own keys changed; an own key of None is dropped."""
        own = {key: str(value) for key, value in {**self.own, **_own(changes)}.items() if value is not None}
        fields = {key: value for key, value in changes.items() if key not in OWN_KEYS}
        is_default = self.is_default and not fields.keys() & {"since", "until"}
        return type(self)(self.filters.replace(**fields) if fields else self.filters, own, is_default)

    def bare(self) -> Self:
        """A copy with no own key but the snapshot that was chosen: what a link to another page carries."""
        if not self.own:
            return self
        kept = {key: value for key, value in self.own.items() if key == "known"}
        return type(self)(self.filters, kept, self.is_default)

    def href(self, path: str, **changes: Any) -> str:
        """Address of a page in this state, changed."""
        query = self.having(**changes).query()
        return f"{path}?{query}" if query else path


def _own(changes: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in changes.items() if key in OWN_KEYS}


def drill(state: State, group_name: str, group_value: str, **own: Any) -> str:
    """Address of the exams behind one group of a metric's answer; groups that are no filter do not narrow."""
    return drills(state, group_name, **own)(group_value)


def drills(state: State, group_name: str, **own: Any) -> Callable[[str], str]:
    """The addresses (`drill`) of the groups of one grouping by their value: what they share is written once."""
    names = [] if group_name == "all" else group_name.split(" | ")
    taken = [(place, name) for place, name in enumerate(names) if name in KEYS]
    shared = [(key, _quoted(value)) for key, value in state.bare().having(**own).pairs() if key not in names]
    told = [*shared, *((name, f"{{0[{place}]}}") for place, name in taken)]
    told.sort(key=lambda pair: _PLACES[pair[0]])
    address = "/exams" + ("?" if told else "") + "&".join(f"{key}={value}" for key, value in told)

    def of(group_value: str) -> str:
        values = group_value.split(" | ") if names else []
        if len(values) != len(names):
            raise ValueError(f"{group_value} is not a value of {group_name}")
        return address.format([*map(_quoted, values)])

    return of


def exam_href(exam_key: str, at: datetime | None) -> str:
    """Address of an exam's page; `at` is its place in time by the wall clock, so that it is found soon, if known."""
    return f"/exam?exam={exam_key}" + (f"&day={at:%Y-%m-%d}" if at is not None else "")
