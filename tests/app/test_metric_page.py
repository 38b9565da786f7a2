"""The page of one metric: made for every metric of the catalog, with what its sections say of it."""

from __future__ import annotations

import pytest

from app.context import Context
from app.guard import Person
from app.pages import metric as page
from app.sections.groups import offered
from app.state import State
from sql.catalog import Catalog
from sql.filters import FilterError
from sql.snapshot import Store


def context(store: Store, search: str, *, sees_readers: bool = True) -> Context:
    snapshot = store.current()
    return Context(snapshot, State.read(search, snapshot.data_through), Person("test", sees_readers=sees_readers))


@pytest.mark.parametrize("metric_id", Catalog.load().metrics)
def test_every_metric_has_its_page(store: Store, metric_id: str) -> None:
    shown = str(page.render(context(store, f"?metric={metric_id}&compare=previous")))
    asked = Catalog.load().metric(metric_id)
    assert asked.title in shown
    assert asked.question in shown


def test_an_unknown_metric_is_an_error_of_the_address(store: Store) -> None:
    with pytest.raises(FilterError, match="no such metric"):
        context(store, "?metric=nothing")


def test_a_foreign_statistic_or_group_falls_back(store: Store) -> None:
    asked = context(store, "?metric=reads&stat=p90&by=nothing")
    assert asked.statistic == "final"


def test_single_people_are_offered_only_to_who_may_see_them(store: Store) -> None:
    assert "radiologist" in offered(context(store, "?metric=reads"))
    assert "radiologist" not in offered(context(store, "?metric=reads", sees_readers=False))
