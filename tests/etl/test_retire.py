"""Old snapshots go, but the newest ones and the last of each month stay."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest

from etl import publish, spare
from etl.home import Home
from etl.publish import Meta, snapshot_paths
from etl.settings import Settings
from sql.answer_files import beside, part

#: Number of a snapshot -> when it was built; one of them is damaged.
BUILT = {
    1: datetime(2026, 1, 30), 2: datetime(2026, 1, 31), 3: datetime(2026, 2, 1), 4: None, 5: datetime(2026, 2, 27),
    6: datetime(2026, 3, 1), 7: datetime(2026, 3, 2), 8: datetime(2026, 3, 3),
}  # fmt: skip
Kept = Callable[[int], list[int]]


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Numbers of the snapshots that were opened."""
    asked: list[int] = []

    def meta(path: Path) -> Meta | None:
        number = int(path.stem.split("-")[1])
        asked.append(number)
        built = BUILT[number]
        return None if built is None else Meta(str(number), "d", "s", None, built)

    monkeypatch.setattr(publish, "read_meta", meta)
    return asked


@pytest.fixture
def kept(tmp_path: Path) -> Kept:
    """Numbers that stay where so many of the newest are kept."""

    def after(keep: int) -> list[int]:
        home = Home(tmp_path, Settings(home=tmp_path, keep_snapshots=keep))
        home.published.mkdir(exist_ok=True)
        for number in BUILT:
            path = home.published / f"radops-{number:06d}.duckdb"
            if not path.exists():
                path.touch()
        publish.retire(home, home.published / f"radops-{max(BUILT):06d}.duckdb")
        return [int(path.stem.split("-")[1]) for path in snapshot_paths(home)]

    return after


@pytest.mark.parametrize(
    ("keep", "stay"),
    [(1, [2, 5, 8]), (2, [2, 5, 7, 8]), (4, [2, 5, 6, 7, 8]), (6, [2, 3, 4, 5, 6, 7, 8]), (7, [2, 3, 4, 5, 6, 7, 8])],
)
def test_the_newest_and_the_last_of_each_month_stay(kept: Kept, opened: list[int], keep: int, stay: list[int]) -> None:
    assert kept(keep) == stay
    assert opened


@pytest.mark.parametrize("keep", [8, 9])
def test_none_is_opened_where_all_are_among_the_newest(kept: Kept, opened: list[int], keep: int) -> None:
    assert kept(keep) == list(BUILT)
    assert opened == []


def test_none_is_opened_a_second_time(kept: Kept, opened: list[int]) -> None:
    """But the damaged one, and one whose name another has now."""
    stay = kept(6)
    opened.clear()
    assert kept(6) == stay
    assert set(opened) == {1, 4}, "1 was removed, and is there anew"


def test_the_newest_of_those_removed_is_put_aside(kept: Kept, opened: list[int], tmp_path: Path) -> None:
    kept(7)
    home = Home(tmp_path, Settings(home=tmp_path, keep_snapshots=1))
    (home.published / "radops-000006.duckdb").write_bytes(b"6")
    (home.published / "radops-000007.duckdb").write_bytes(b"7")
    publish.retire(home, home.published / "radops-000008.duckdb", keeps_spare=True)
    assert [publish.number(path) for path in snapshot_paths(home)] == [2, 5, 8]
    assert (home.published / spare.NAME).read_bytes() == b"7"


@pytest.mark.usefixtures("opened")
def test_answers_go_with_their_snapshot(kept: Kept, tmp_path: Path) -> None:
    """They tell of patients what it tells: what has to go is gone."""
    kept(8)
    folder = tmp_path / "published"
    for number in BUILT:
        beside(folder / f"radops-{number:06d}.duckdb").touch()
        part(folder / f"radops-{number:06d}.duckdb").touch()
    assert kept(1) == [2, 5, 8]
    stay = {found(folder / f"radops-{number:06d}.duckdb") for number in (2, 5, 8) for found in (beside, part)}
    assert set(folder.glob(".*.answers*")) == stay
