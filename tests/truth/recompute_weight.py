"""Learned minutes of reading recomputed in plain Python from the simulator's truth."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import product
from typing import NamedTuple

from tests.truth.department import Department, Row, merged, minutes
from tests.truth.recompute import Rows, reading_intervals, reads
from tests.truth.statistics import quantile

LONGEST = {"CR": 10, "DX": 10, "US": 30}
OTHERS = 60
ENOUGH = 10
Kind = tuple[str | None, str | None]  # modality, procedure


class Weight(NamedTuple):
    """What is known of one kind of exam."""

    minutes: float
    low: float
    high: float
    n: int
    learned_from: str
    learned_by: str


class Seen(NamedTuple):
    """One final read: its exam, and how long it took as far as can be seen."""

    exam: Row
    timed: float | None
    gap: float | None


def seen(d: Department) -> list[Seen]:
    """The final reads of the last year."""
    events: dict[str, list[tuple[datetime, Row, bool]]] = defaultdict(list)
    for read in d.truth("read"):
        exam = d.exam_of[read["facility"], read["accession"]]
        is_alone = read["role"] == "final" and exam["assistant"] in (None, read["interpreter"])
        reports = [at for at in (exam["first_prelim_at"], read["read_at"]) if at is not None]
        at = min(reports) if is_alone else read["read_at"]
        events[read["interpreter"]].append((at, read | {"exam": exam}, is_alone))
    found = []
    for of_reader in events.values():
        together = Counter(at for at, _, _ in of_reader)
        for at, read, is_alone in of_reader:
            if read["role"] != "final" or read["read_at"] <= d.data_through - timedelta(days=365):
                continue
            exam, begun = read["exam"], read["read_started_at"]
            most = LONGEST.get(exam["modality"], OTHERS)
            timed = minutes(begun, at) if is_alone else None
            before = max((other for other, _, _ in of_reader if other < at), default=None)
            gap = minutes(before, at) if is_alone and begun is None and together[at] == 1 else None
            lengths = (x if x is not None and 0 < x <= most else None for x in (timed, gap))
            found.append(Seen(exam, *lengths))
    return found


def likeness(exam: Row) -> list[tuple[str, tuple[str, ...]]]:
    """What other exams an exam is like, the closest first."""
    modality = "DX" if exam["modality"] == "CR" else exam["modality"]
    procedure, region = exam["procedure"], exam["region"]
    levels = (("procedure", (procedure,)), ("region", (modality, region)), ("modality", (modality,)))
    return [(level, key) for level, key in levels if None not in key]


def weights(d: Department) -> dict[Kind, Weight]:
    """Learned minutes by modality and procedure: timed reads as close as can be, else gaps."""
    lengths: dict[tuple[str, str, tuple[str, ...]], list[float]] = defaultdict(list)
    finals = seen(d)
    for one in finals:
        for level, key in likeness(one.exam):
            for by, length in (("timed", one.timed), ("gap", one.gap)):
                if length is not None:
                    lengths[by, level, key].append(length)
    known: dict[Kind, Weight] = {}
    for one in finals:
        for by, (level, key) in product(("timed", "gap"), likeness(one.exam)):
            values = lengths[by, level, key]
            if len(values) >= ENOUGH:
                middle = (quantile(values, p) for p in (0.5, 0.25, 0.75))
                known[one.exam["modality"], one.exam["procedure"]] = Weight(*middle, len(values), level, by)
                break
    return known


def weight_of(d: Department) -> dict[Kind, float]:
    return {kind: weight.minutes for kind, weight in weights(d).items()}


def local_minutes(d: Department) -> Iterator[Row]:
    known = weight_of(d)
    for row in reads(lambda _d, _r, _a: 1.0)(d):
        weight = known.get((row["modality"], row["procedure"]))
        if weight is not None:
            yield row | {"numerator": weight}


def local_minutes_per_hour(d: Department) -> Iterator[Row]:
    """Stretches of reading as in reads_per_hour; those with a weighed final read count with all their time."""
    known = weight_of(d)
    finals: dict[str, list[tuple[datetime, float | None]]] = defaultdict(list)
    for read in d.truth("read"):
        if read["role"] == "final":
            exam = d.exam_of[read["facility"], read["accession"]]
            finals[read["interpreter"]].append((read["read_at"], known.get((exam["modality"], exam["procedure"]))))
    for reader, intervals in reading_intervals(d).items():
        for start, end in merged([(a, b) for a, b, _ in intervals], timedelta(minutes=30)):
            facility = min(i for i in intervals if start <= i[0] <= i[1] <= end)[2]
            weighed = [weight for at, weight in finals[reader] if start <= at <= end and weight is not None]
            if weighed:
                words = d.keys({"radiologist": reader, "facility": facility}, d.local(facility, start))
                yield words | {"numerator": sum(weighed), "denominator": minutes(start, end) / 60, "n": len(weighed)}


ROWS: dict[str, Rows] = {"local_minutes": local_minutes, "local_minutes_per_hour": local_minutes_per_hour}
