"""The twin of `Rows` in C makes the same rows as the one in Python, and refuses the same."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from etl import files_twin, rows_twin
from etl.records import RECORDS, Rows
from etl.sources import hl7_twin
from tests.conftest import needs_compiled

COLUMNS = tuple(column.name for column in RECORDS["event"])


@pytest.fixture(params=["compiled", "python"])
def twin(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> ModuleType | None:
    if request.param == "compiled":
        needs_compiled(rows_twin.BUILT)
    kernel = rows_twin.BUILT if request.param == "compiled" else None
    monkeypatch.setattr(rows_twin, "KERNEL", kernel)
    return kernel


ROWS = st.lists(
    st.tuples(st.integers(0, 2), st.dictionaries(st.sampled_from(COLUMNS), st.none() | st.integers() | st.text())),
    max_size=8,
)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=ROWS)
def test_a_row_has_its_values_in_their_columns(twin: ModuleType | None, rows: list[tuple[int, dict[str, Any]]]) -> None:
    made = Rows(COLUMNS)
    n_same, before = 0, None
    for n, (position, row) in enumerate(rows):
        made.add(position, row)
        n_same = n_same + 1 if position == before else 0
        before = position
        assert made.rows[n] == (*(row.get(name) for name in COLUMNS), position, n_same)
    assert made.n == len(rows)


def test_values_by_place_are_the_same_row(twin: ModuleType | None) -> None:
    values = list(range(len(COLUMNS)))
    made, by_name = Rows(COLUMNS), Rows(COLUMNS)
    for position in (0, 0, 3):
        made.put(position, values)
        by_name.add(position, dict(zip(COLUMNS, values, strict=True)))
    assert made.rows == by_name.rows


def test_names_in_the_order_of_the_columns_are_no_other_row(twin: ModuleType | None) -> None:
    """Also of the same text that is another object, and where one is missing or two are exchanged."""
    made = Rows(COLUMNS)
    whole = {"".join(list(name)): place for place, name in enumerate(COLUMNS)}
    for names in (list(whole), COLUMNS, COLUMNS[1:], COLUMNS[:-1], COLUMNS[::-1], (*COLUMNS[:-2], *COLUMNS[:-3:-1])):
        made.add(made.n, {name: whole[name] for name in names})
        values = (whole[name] if name in names else None for name in COLUMNS)
        assert made.rows[-1] == (*values, made.n - 1, 0)


def test_an_unknown_column_is_an_error_and_adds_nothing(twin: ModuleType | None) -> None:
    made = Rows(("a", "b"))
    made.add(0, {"a": 1})
    with pytest.raises(KeyError, match="c"):
        made.add(1, {"b": 2, "c": 3})
    assert made.rows == [(1, None, 0, 0)]


def test_wrong_use_is_an_error() -> None:
    needs_compiled(rows_twin.BUILT)
    assert rows_twin.BUILT is not None
    for arguments in ((), ([], (), 0), ([], (), 0, []), ([], {}, 0, {}), ([1], ("a",), 0, {"a": 1}), ((), (), 0, {})):
        with pytest.raises(TypeError):
            rows_twin.BUILT.add(*arguments)
    for arguments in ((), ([], 0, ()), ([1], 0, [1])):
        with pytest.raises(TypeError):
            rows_twin.BUILT.put(*arguments)


@pytest.mark.parametrize("twin", [rows_twin, hl7_twin, files_twin])
def test_an_old_build_is_not_used(twin: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    needs_compiled(twin.BUILT)
    assert twin._built() is twin.BUILT
    for version in (twin.VERSION - 1, twin.VERSION + 1):
        monkeypatch.setattr(twin.BUILT, "VERSION", version)
        assert twin._built() is None
    monkeypatch.delattr(twin.BUILT, "VERSION")
    assert twin._built() is None
