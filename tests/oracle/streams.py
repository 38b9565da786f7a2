"""Streams of valid messages from plans: a plan is one exam with steps, a step one message at a minute of its night."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from hypothesis import strategies as st

#: Facility and the wall clock at which its night begins: ordinary days and every kind of clock change.
NIGHTS = (
    ("NORTH", "2026-03-03 09:00"), ("LONDON", "2026-03-03 09:00"), ("HOWE", "2026-03-03 09:00"),
    ("NORTH", "2026-03-08 00:30"), ("NORTH", "2026-11-01 00:10"),
    ("LONDON", "2026-03-29 00:10"), ("LONDON", "2026-10-25 00:10"),
    ("HOWE", "2026-10-04 01:10"), ("HOWE", "2026-04-05 00:40"),
)  # fmt: skip
OFFSETS = {"NORTH": "-0500", "LONDON": "+0000", "HOWE": "+1030"}
STATIONS = {"NORTH": ("NCT01", "NCT02"), "LONDON": ("LCT01", "LCT01"), "HOWE": ("HCT01", "HCT01")}
ALIAS = {"NORTH": ("NORTH", "NGH"), "LONDON": ("LDN", "LDN"), "HOWE": ("HOWE", "HOWE")}
N_PATIENTS = 12


@dataclass(frozen=True)
class Step:
    """`kind` of message, minutes since the night began, and a number whose digits vary the rest."""

    kind: str
    minute: int
    variant: int


@dataclass(frozen=True)
class Plan:
    """One exam: patient, place and time, whether its study is read with that of the plan before, and what happens."""

    patient: int
    night: int
    shared: bool
    steps: tuple[Step, ...]


@dataclass(frozen=True)
class Scene:
    """A step with all that a message is written from."""

    plan: Plan
    number: int
    step: Step
    index: int

    @property
    def facility(self) -> str:
        return NIGHTS[self.plan.night][0]

    def digit(self, place: int, base: int) -> int:
        """A choice out of `base`, another one for each place."""
        return (self.step.variant // 7**place) % 7 % base

    def wall(self, minutes: int = 0) -> str:
        at = datetime.fromisoformat(NIGHTS[self.plan.night][1]) + timedelta(minutes=self.step.minute + minutes)
        return f"{at:%Y%m%d%H%M%S}"

    def stamp(self, place: int) -> str:
        """The step's time as a field: mostly plain, at times with an offset, known to the day only, or missing."""
        words = (self.wall(), self.wall(), self.wall()[:12], self.wall() + OFFSETS[self.facility], self.wall()[:8], "",
                 self.wall())  # fmt: skip
        return words[self.digit(place, 7)]

    def head(self, kind: str) -> str:
        sent = self.wall(self.digit(5, 3)) + (OFFSETS[self.facility] if self.digit(4, 7) == 6 else "")
        alias = ALIAS[self.facility][self.digit(3, 2)]
        return f"MSH|^~\\&|RIS|{alias}|HUB|NET|{sent}||{kind}|{self.number:03d}.{self.index:03d}|P|2.5.1"

    def pid(self) -> str:
        other = "b" if self.digit(6, 7) == 1 else "a"
        ids = f"M{self.plan.patient}{other}^^^{self.facility}^MR"
        if self.digit(6, 7) == 2:
            ids += f"~E{self.plan.patient}^^^NET^PI"
        return f"PID|1||{ids}||Doe^Jo||19680412|{('F', 'M', '')[self.digit(2, 3)]}"

    def visit(self) -> str:
        kind = ("O", "E", "I", "")[self.digit(1, 4)]
        number = f"V{self.number}" if self.digit(0, 2) else ""
        return f"PV1|1|{kind}|W{self.digit(0, 3)}" + "|" * 16 + number

    def numbers(self) -> dict[str, str]:
        """Identifiers that this message mentions; a few leave some out."""
        left_out = {5: "placer", 6: "accession", 4: "filler"}.get(self.digit(7, 7), "")
        known = {"placer": f"P{self.number}^OE", "filler": f"F{self.number}^RIS", "accession": f"A{self.number}",
                 "study": f"1.2.{self.number - (self.number % 2 if self.plan.shared else 0)}"}  # fmt: skip
        return {name: "" if name == left_out else value for name, value in known.items()}


def line(name: str, fields: dict[int, str]) -> str:
    return "|".join([name, *(fields.get(n, "") for n in range(1, max(fields) + 1))])


def order(control: str, status: str = "", result: str = "", *, bare: bool = False) -> Callable[[Scene], list[str]]:
    """An order message; `bare` has no OBR."""

    def lines(s: Scene) -> list[str]:
        n = s.numbers()
        slot = s.wall(60 + s.digit(1, 3)) if s.digit(2, 3) == 0 else ""
        orc = line("ORC", {1: control, 2: n["placer"], 3: n["filler"], 5: status, 9: s.stamp(8)})
        code = "CTX" if s.number % 11 == 10 else ("CTH", "CTC")[s.number % 2]  # one that nobody mapped
        again = ("SAME^again", "", "", '""', "", "", "")[s.digit(1, 7)]
        obr = line("OBR", {1: "1", 2: n["placer"], 3: n["filler"], 4: code,
                           5: ("", "S", "R", "A", '""')[s.digit(9, 5)], 18: n["accession"], 24: "CT", 25: result,
                           36: slot, 48: again})  # fmt: skip
        station = STATIONS[s.facility][s.digit(3, 2)] if s.digit(4, 2) else ""
        detail = [obr, line("IPC", {9: station}), *([f"ZDS|{n['study']}"] if s.digit(5, 2) else [])]
        return [s.head("ORM^O01"), s.pid(), s.visit(), orc, *([] if bare else detail)]

    return lines


def replaced(s: Scene) -> list[str]:
    """RP and RO in one message: the placer gives a new number, the accession stays."""
    n = s.numbers()
    rp = line("ORC", {1: "RP", 2: n["placer"], 3: n["filler"], 9: s.stamp(8)})
    ro = line("ORC", {1: "RO", 2: f"Q{s.number}^OE", 9: s.stamp(8)})
    obr = [line("OBR", {1: "1", 4: code, 18: n["accession"], 24: "CT"}) for code in ("CTH", "CTC")]
    return [s.head("ORM^O01"), s.pid(), rp, obr[0], ro, obr[1]]


def result(status: str, mark: str = "", suffix: str = "") -> Callable[[Scene], list[str]]:
    def lines(s: Scene) -> list[str]:
        n = s.numbers()
        reader = f"R{s.digit(1, 3)}&Reader{s.digit(1, 3)}" if s.digit(2, 3) else ""
        begun = s.wall(-8) if s.digit(3, 2) else ""
        helper = f"R{s.digit(5, 4)}&Reader{s.digit(5, 4)}" if s.digit(5, 7) in (2, 3, 5) else ""
        times = {7: s.wall(-40), 8: s.wall(-20)} if s.digit(4, 3) == 0 else {}
        obr = line("OBR", {1: "1", 2: n["placer"], 3: n["filler"], 4: "CTH", 18: n["accession"], 22: s.stamp(8),
                           24: "CT", 25: status, 32: f"{reader}^{begun}" if reader else "", 33: helper,
                           **times})  # fmt: skip
        obx = [line("OBX", {1: "1", 2: "TX", 3: f"GDT{suffix}", 5: "text", 11: mark})] if mark or suffix else []
        return [s.head("ORU^R01"), s.pid(), *([s.visit()] if s.digit(0, 2) else []), obr, *obx]

    return lines


def booking(trigger: str, said: str = "") -> Callable[[Scene], list[str]]:
    def lines(s: Scene) -> list[str]:
        n = s.numbers()
        number = f"S{s.number}{'x' if s.digit(6, 3) == 0 else ''}"  # most exams have one appointment
        sch = line("SCH", {1: number, 25: said, 26: n["placer"], 27: n["filler"]})
        slot = s.wall(90 + s.digit(1, 5)) if s.digit(2, 7) else ""
        ais = line("AIS", {1: "1", 3: "CTH", 4: slot, 7: ("", "15", "30")[s.digit(4, 3)], 8: "MIN"})
        # No two bookings of an exam are sent at one second: which of two appointments was told last is then known.
        second = f"{2 * s.index + s.number % 2:02d}"
        head = s.head(f"SIU^{trigger}").split("|")
        head[6] = head[6][:12] + second + head[6][14:]
        return ["|".join(head), sch, s.pid(), s.visit(), "RGS|1", ais,
                line("AIL", {1: "1", 3: STATIONS[s.facility][0]})]  # fmt: skip

    return lines


def admission(trigger: str) -> Callable[[Scene], list[str]]:
    def lines(s: Scene) -> list[str]:
        visit = f"PV1|1|E|ED{'|' * 16}V{s.number}" + "|" * 25 + (s.wall(-3) if s.digit(1, 2) else "")
        return [s.head(f"ADT^{trigger}"), f"EVN|{trigger}|{s.wall()}", s.pid(), visit]

    return lines


def linked(trigger: str, segment: str) -> Callable[[Scene], list[str]]:
    """A merge, link or unlink of a patient's two numbers; at times one that chains two patients."""

    def lines(s: Scene) -> list[str]:
        other = (s.plan.patient + 1) % N_PATIENTS if s.digit(0, 7) == 0 else s.plan.patient
        survivor, prior = f"M{s.plan.patient}a^^^{s.facility}^MR", f"M{other}b^^^{s.facility}^MR"
        second = f"MRG|{prior}" if segment == "MRG" else f"PID|2||{prior}"
        return [s.head(f"ADT^{trigger}"), f"EVN|{trigger}|{s.wall()}", f"PID|1||{survivor}", second]

    return lines


#: Kind -> the lines of its message. Common kinds stand more than once in `CHANCES`.
KINDS: dict[str, Callable[[Scene], list[str]]] = {
    "NW": order("NW"), "SN": order("SN"), "CH": order("CH"), "XO": order("XO"), "HD": order("HD"), "RL": order("RL"),
    "CA": order("CA"), "OC": order("OC"), "DC": order("DC"), "bareCA": order("CA", bare=True), "RP+RO": replaced,
    "booked": order("SC", "SC"), "arrived": order("SC", "AR"), "protocoled": order("SC", "PR"),
    "started": order("SC", "IP"), "ended": order("SC", "CM"), "images": order("SC", "IA"), "SC CA": order("SC", "CA"),
    "stopped": order("SC", "DC"), "SC I": order("SC", "", "I"), "SC N": order("SC", "", "N"),
    "P": result("P"), "R": result("R"), "F": result("F"), "C": result("C"), "A": result("A"), "X": result("X"),
    "I": result("I"), "AD": result("AD"), "P U": result("P", "U"), "F C": result("F", "C"),
    "F ADT": result("F", "F", "&ADT"),
    "S12": booking("S12"), "S13": booking("S13"), "S15": booking("S15"), "S17": booking("S17"), "S26": booking("S26"),
    "S14 arrived": booking("S14", "Arrived"), "S14 noshow": booking("S14", "NoShow"),
    "A04": admission("A04"), "A10": admission("A10"),
    "A40": linked("A40", "MRG"), "A24": linked("A24", "PID"), "A37": linked("A37", "PID"),
}  # fmt: skip
CHANCES = (*KINDS, *("NW", "arrived", "started", "ended", "P", "F", "F", "S12", "ended", "NW", "C"))


def messages(plans: list[Plan]) -> list[bytes]:
    """All messages of the plans, in the order of the plans' steps."""
    found = []
    for number, plan in enumerate(plans):
        if plan.shared and number % 2:  # then it is the same patient at the same place
            plan = replace(plan, patient=plans[number - 1].patient, night=plans[number - 1].night)  # noqa: PLW2901
        for index, step in enumerate(plan.steps):
            lines = KINDS[step.kind](Scene(plan, number, step, index))
            found.append("\r".join(lines).encode() + b"\r")
    return found


steps = st.builds(
    Step, st.sampled_from(CHANCES), st.integers(0, 24).map(lambda tenth: 10 * tenth), st.integers(0, 7**10 - 1)
)
exam_plans = st.builds(
    Plan, st.integers(0, N_PATIENTS - 1), st.integers(0, len(NIGHTS) - 1), st.booleans(),
    st.lists(steps, min_size=1, max_size=12).map(tuple),
)  # fmt: skip


def random_plans(chance: random.Random, n: int) -> Iterator[Plan]:
    """The seeded variant: as many plans as one likes in one build."""
    for _ in range(n):
        kinds = chance.sample(CHANCES, chance.randint(3, 12))
        some = tuple(Step(chance.choice(kinds), 10 * chance.randint(0, 24), chance.randrange(7**10))
                     for _ in range(chance.randint(1, 14)))  # fmt: skip
        yield Plan(chance.randrange(N_PATIENTS), chance.randrange(len(NIGHTS)), chance.random() < 0.3, some)
