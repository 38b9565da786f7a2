"""The product as the comparison sees it: message streams through parse, load and build, and rows of the marts back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest

from etl.home import Home
from etl.inbox import scan
from etl.intake import open_intake
from etl.load import store
from etl.parsing import run_job
from etl.publish import publish
from etl.settings import Settings
from sql import metric_macros
from sql.snapshot import Snapshot, open_snapshot
from tests.forked import few_macros
from tests.oracle.facts import Site
from tests.warehouse import Choices, Warehouse

Row = dict[str, Any]

SITE = Site(
    facilities={
        "NORTH": ("America/New_York", ("NGH", "Northgate")),
        "LONDON": ("Europe/London", ("LDN",)),
        "HOWE": ("Australia/Lord_Howe", ()),
    },
    default_zone="America/New_York",
    statuses={"AR": "arrived", "PR": "protocoled", "IA": "images_available"},
    results={"AD": "addendum"},
    devices={("NORTH", "NCT01"): "N-CT1", ("NORTH", "NCT02"): "N-CT2", ("LONDON", "LCT01"): "L-CT1",
             ("HOWE", "HCT01"): "H-CT1"},
    procedures={(facility, code): said for facility in ("NORTH", "LONDON", "HOWE") for code, said in {
        "CTH": ("CT", "HEAD", "N", "WO"), "CTC": ("CT", "CHEST", "N", "W")}.items()},
    targets=(
        ({}, 90.0, date.min, date.max), ({"priority": "stat"}, 45.0, date.min, date(2026, 10, 4)),
        ({"priority": "stat"}, 30.0, date(2026, 10, 4), date.max),
        ({"facility": "NORTH"}, 60.0, date(2026, 3, 8), date.max),
        ({"facility": "LONDON", "patient_class": "inpatient"}, 120.0, date.min, date(2026, 3, 29)),
    ),
    shifts=(("day", "12345", 480, 1020, False), ("early", "1234567", 45, 100, False),
            ("night", "1234567", 1320, 480, True)),
)  # fmt: skip
#: What the site's own map makes of its codes.
HARMONIZED = {"CTH": "CT_HEAD_WO", "CTC": "CT_CHEST_W"}


def clock(minute: int) -> str:
    return f"{minute // 60:02d}:{minute % 60:02d}"


def write_site(folder: Path) -> None:
    """The same site in the product's files."""
    lines = ['[site]\nname = "oracle"', f'default_zone = "{SITE.default_zone}"']
    for name, (zone, aliases) in SITE.facilities.items():
        lines.append(f'[[facility]]\nid = "{name}"\nname = "{name}"\nzone = "{zone}"\naliases = {[*aliases]}')
    codes = (("status", SITE.statuses), ("result_status", SITE.results))
    tables = "\n".join(f"{k} = {{{', '.join(f'{a} = {b!r}' for a, b in v.items())}}}" for k, v in codes)
    lines.append(f'[[sender]]\napp = "RIS"\n{tables}')
    (folder / "site.toml").write_text("\n".join(lines), "utf-8")
    devices = [f"{d},{d},{f},CT,{s},,ACME,CT9,{d}" for (f, s), d in SITE.devices.items()]
    procedures = [f"{f},{c},,{HARMONIZED[c]},test," for f, c in SITE.procedures]
    shifts = [f"{name},{days},{clock(begin)},{clock(end)},{str(after).lower()}"
              for name, days, begin, end, after in SITE.shifts]  # fmt: skip
    words = ("facility", "modality", "priority", "patient_class")
    targets = [f"report_final,{','.join(told.get(w, '') for w in words)},{limit},min,test,"
               f"{'' if since == date.min else since},{'' if until == date.max else until}"
               for told, limit, since, until in SITE.targets]  # fmt: skip
    for name, rows in (("devices.csv", devices), ("procedures.csv", procedures), ("staffing.csv", []),
                       ("calendar.csv", []), ("shifts.csv", shifts), ("targets.csv", targets),
                       ("fees.csv", [])):  # fmt: skip
        head = (folder / name).read_text("utf-8").splitlines()[0]
        (folder / name).write_text("\n".join([head, *rows]) + "\n", "utf-8")


@dataclass
class Product:
    """One installation; `take` loads files of messages as one batch each."""

    house: Warehouse

    @classmethod
    def at(cls, root: Path) -> Product:
        root.mkdir(parents=True)
        product = cls(Warehouse(root, Choices(publish_names=True)))
        write_site(product.house.site)
        return product

    def take(self, batch: Iterable[bytes]) -> None:
        """Load messages as one file through the stages of the real pipeline."""
        folder = self.house.root / f"in{self.house.batches}"
        folder.mkdir()
        self.house.batches += 1
        (folder / "messages.hl7").write_bytes(b"".join(batch))
        result = run_job(list(scan([folder])), self.house.load_site(), 60, 1 << 30)
        con = open_intake(self.house.intake)
        try:
            counts = store(con, [result])
        finally:
            con.close()
        assert counts.rejected == 0, counts.reasons

    def digest(self, batches: Sequence[Iterable[bytes]], *, build_each: bool = False) -> str:
        for number, batch in enumerate(batches, 1):
            self.take(batch)
            if build_each or number == len(batches):
                report = self.house.build()
        return report.digest

    def snapshot(self) -> Snapshot:
        """The marts as published, with the macros of few metrics: none is asked here."""
        root = self.house.root
        settings = Settings(home=root, key_file=self.house.key_file, publish_accession=True, publish_names=True)
        home = Home(root, settings)
        home.prepare()
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(metric_macros, "install_macros", few_macros(metric_macros.install_macros))
            return open_snapshot(publish(home).path)

    def exams(self) -> list[Row]:
        """Rows of `fct_exam` with people by what was sent: patient as its first identifier, reader by name."""
        with duckdb.connect(str(self.house.marts), read_only=True) as con:
            con.execute(f"ATTACH '{self.house.intake}' AS intake (READ_ONLY)")
            found = con.execute("""
                WITH actor AS (SELECT actor, min(name) AS name FROM intake.work.actor GROUP BY actor)
                SELECT e.* EXCLUDE (radiologist, assistant), a.name AS radiologist, b.name AS assistant, p.patient
                FROM fct_exam e
                LEFT JOIN actor a ON a.actor = e.radiologist
                LEFT JOIN actor b ON b.actor = e.assistant
                LEFT JOIN (SELECT patient_key, min((authority, patient_id)) AS patient
                           FROM intake.work.patient GROUP BY patient_key) p USING (patient_key)""")
            names = [column[0] for column in found.description or ()]
            return [dict(zip(names, row, strict=True)) for row in found.fetchall()]
