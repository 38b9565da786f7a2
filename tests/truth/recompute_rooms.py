"""Occupied rooms: moves of patients paired anew in plain Python from the simulator's truth; see `recompute`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import date, datetime, timedelta

from tests.truth.department import Department, Row, meeting, merged, minutes, overlap_min
from tests.truth.recompute import HOUR, Rows, device_hours

Stay = tuple[str, datetime, datetime]  # device, entered, left


def stays(d: Department) -> list[Stay]:
    """Whole stays of up to a day in rooms with a device."""
    by_person: dict[tuple[str, str], list[Row]] = defaultdict(list)
    by_encounter: dict[tuple[str, str], list[Row]] = defaultdict(list)
    for move in d.truth("room_move"):
        if move["encounter"] is None:
            by_person[move["facility"], move["patient"]].append(move)
        else:
            by_encounter[move["encounter"], move["room"]].append(move)
    found = [
        stay for moves in by_person.values() for stay in _followed(sorted(moves, key=lambda m: (m["at"], m["kind"])))
    ]
    for moves in by_encounter.values():
        ends = {move["kind"]: move["at"] for move in moves}
        if ends.keys() == {"entered", "left"}:
            found.append((moves[0]["device"], ends["entered"], ends["left"]))
    return [s for s in found if s[0] is not None and timedelta(0) <= s[2] - s[1] <= timedelta(days=1)]


def _followed(moves: list[Row]) -> Iterator[Stay]:
    for number, move in enumerate(moves):
        if move["kind"] != "entered":
            continue
        later = moves[number + 1 :]
        same = next((m for m in later if m["room"] == move["room"]), None)
        other = next((m for m in later if m["kind"] == "entered"), None)
        if same is not None and same["kind"] == "left":
            yield move["device"], move["at"], same["at"]
        elif other is not None and other["room"] != move["room"] and other["at"] - move["at"] <= HOUR:
            yield move["device"], move["at"], other["at"]


def room_occupancy(d: Department) -> Iterator[Row]:
    """Staffed hours from the first to the last day of a room's stays, but for days with exams and without a stay."""
    occupied: dict[str, list[tuple[datetime, datetime]]] = defaultdict(list)
    days: dict[str, set[date]] = defaultdict(set)
    for device, entered, left in stays(d):
        occupied[device].append((entered, left))
        days[device] |= {d.local(d.devices[device]["facility"], at).date() for at in (entered, left)}
    union = {device: merged(pairs) for device, pairs in occupied.items()}
    hours = [row for row in device_hours(d) if row[0]["device"] in union]
    examined: dict[tuple[str, date], float] = defaultdict(float)
    for words, _, _, _, busy, _ in hours:
        examined[words["device"], words["local"].date()] += busy
    for words, hour, _, staffed, _, _ in hours:
        device, day = words["device"], words["local"].date()
        is_silent = day not in days[device] and examined[device, day] > 0
        if staffed and min(days[device]) <= day <= max(days[device]) and not is_silent:
            whole = (hour, hour + HOUR)
            open_at = [(max(b.opens_at, hour), min(b.closes_at, whole[1])) for b in d.blocks
                       if b.device == device and overlap_min((b.opens_at, b.closes_at), whole)]  # fmt: skip
            inside = sum(overlap_min(a, b) for a in meeting(whole, union[device]) for b in open_at)
            yield words | {"numerator": inside, "denominator": sum(minutes(*pair) for pair in open_at)}


ROWS: dict[str, Rows] = {"room_occupancy": room_occupancy}
