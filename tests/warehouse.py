"""A small installation for tests: two facilities, hand-made rows in batches, and the marts built from them."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from etl.build import build
from etl.intake import open_intake
from etl.site import CSV_FILES, Site, load_site
from etl.standing import BuildReport
from etl.transaction import transaction
from tests.attached import attached
from tests.raw_rows import Row, insert

SITE_TOML = """
[site]
name = "test"
default_zone = "America/New_York"
[[facility]]
id = "NORTH"
name = "Northgate"
zone = "America/New_York"
aliases = ["NGH"]
[[facility]]
id = "WEST"
name = "Westlake"
zone = "America/Chicago"
"""
SITE_ROWS: dict[str, str] = {
    "devices.csv": """
N-CT1,North CT,NORTH,CT,NCT01,NORTHCT1,ACME,CT9000,S1
N-DX1,North DX,NORTH,DX,NDX01,NORTHDX1,ACME,DX1,S2
W-CT1,West CT,WEST,CT,WCT01,WESTCT1,ACME,CT9000,S3""",
    "staffing.csv": """
N-CT1,12345,08:00,12:00
N-CT1,12345,13:00,17:00
N-CT1,7,00:00,24:00""",
    "calendar.csv": """
NORTH,2026-03-05,closed""",
    "shifts.csv": """
day,12345,07:30,17:00,false
night,1234567,22:30,08:00,true""",
    "targets.csv": """
report_final,,,,,2880,min,test,,
report_final,,,stat,emergency,60,min,test,,
report_final,NORTH,CT,stat,emergency,0.5,h,test,2026-01-01,
report_final,NORTH,CT,stat,emergency,45,min,test,2025-01-01,2026-01-01""",
    "procedures.csv": """
NORTH,CTH,CT HEAD,CT_HEAD_WO,test,2026-01-01
WEST,HEAD,HEAD CT,CT_HEAD_WO,test,2026-01-01
NORTH,CXR,CHEST,XR_CHEST_2V,test,2026-01-01""",
    "fees.csv": """
C1,1.25,2020-01-01,test
C1,1.5,2026-03-04,test
C2,0.2,,test""",
}


@cache
def _empty_intake() -> bytes:
    """A raw store without a row."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "intake.duckdb"
        open_intake(path).close()
        return path.read_bytes()


@dataclass(frozen=True)
class Choices:
    """Settings of a test installation."""

    publish_accession: bool = True
    publish_names: bool = False
    memory_limit: str = "1GB"
    part_exams: int = 1_000_000


@dataclass
class Warehouse:
    """`load` adds a batch, `build` derives the marts, `rows` asks them."""

    root: Path
    settings: Choices = field(default_factory=Choices)
    batches: int = 0

    def __post_init__(self) -> None:
        self.site = self.root / "site"
        self.site.mkdir(exist_ok=True)
        (self.site / "site.toml").write_text(SITE_TOML, "utf-8")
        for name, columns in CSV_FILES.items():
            (self.site / name).write_text(",".join(columns) + SITE_ROWS.get(name, "") + "\n", "utf-8")
        (self.root / "pseudonym.key").write_text("11" * 32, "ascii")
        (self.root / "pseudonym.key").chmod(0o600)
        if not self.intake.exists():
            self.intake.write_bytes(_empty_intake())
            self.intake.chmod(0o600)

    @property
    def intake(self) -> Path:
        return self.root / "intake.duckdb"

    @property
    def marts(self) -> Path:
        return self.root / "marts.duckdb"

    @property
    def published(self) -> Path:
        return self.root / "published"

    @property
    def key_file(self) -> Path:
        return self.root / "pseudonym.key"

    def load_site(self) -> Site:
        return load_site(self.site)

    def load(self, *rows: Row) -> None:
        """One batch of rows."""
        self.batches += 1
        with attached(self.intake) as con, transaction(con):
            insert(con, self.batches, rows)

    def build(self, *, full: bool = False) -> BuildReport:
        return build(self, full=full)

    def built(self, *rows: Row) -> Warehouse:
        """Load one batch and build."""
        self.load(*rows)
        self.build()
        return self

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """Rows of a query on the marts."""
        with attached(self.marts, read_only=True) as con:
            return con.execute(sql).fetchall()

    def row(self, sql: str) -> tuple[Any, ...]:
        """The only row of a query."""
        (row,) = self.rows(sql)
        return row


def common(accession: str | None, mrn: str | None, facility: str, **columns: Any) -> dict[str, Any]:
    return {
        "standard": "hl7", "source": f"RIS@{facility}", "facility_alias": facility, "accession": accession,
        "patient_id": mrn, "patient_authority": facility if mrn else None, **columns,
    }  # fmt: skip


def event(
    code: str, at: Any, accession: str | None = "A1", *, origin: str = "ris", mrn: str | None = "1",
    facility: str = "NORTH", **columns: Any,
) -> Row:  # fmt: skip
    """An event row; `at` is UTC text or None."""
    told = columns.pop("message_at", at)
    return "event", common(accession, mrn, facility, code=code, at=at, origin=origin, message_at=told, **columns)


def order(at: Any, accession: str = "A1", *, mrn: str | None = "1", facility: str = "NORTH", **columns: Any) -> Row:
    """An order row (its event is a row of its own)."""
    given = {"order_control": "NW", "modality": "CT", "procedure_code": "CTH", "priority": "R", "patient_class": "O"}
    return "order", common(accession, mrn, facility, **{**given, "at": at, "message_at": at, **columns})


def report(at: Any, accession: str = "A1", *, mrn: str | None = "1", facility: str = "NORTH", **columns: Any) -> Row:
    """A report row; final by R1 unless said otherwise."""
    given = {"status": "final", "interpreter_id": "R1", "interpreter_authority": "NET", "interpreter_name": "Doe^Jo"}
    return "report", common(accession, mrn, facility, **{**given, "at": at, "message_at": at, **columns})


def exam(
    accession: str, started: str, ended: str, *, mrn: str | None = "1", facility: str = "NORTH",
    final: str | None = None, station: str = "NCT01", **columns: Any,
) -> list[Row]:  # fmt: skip
    """Order, start, end and final report of an ordinary exam; `columns` go to the order."""
    ordered = columns.pop("ordered", started)
    who = {"mrn": mrn, "facility": facility}
    rows = [
        order(ordered, accession, station=station, **{"procedure_code": "CTH", **columns}, **who),
        event("ordered", ordered, accession, origin="order", **who),
        event("exam_started", started, accession, **who),
        event("exam_ended", ended, accession, **who),
    ]
    if final:
        rows += [report(final, accession, **who), event("final_report", final, accession, origin="report", **who)]
    return rows


def image(sop: str, at: str, accession: str | None = "A1", *, mrn: str = "1", **columns: Any) -> Row:
    """An image object of N-CT1 unless said otherwise."""
    given = {
        "standard": "dicom", "source": "NORTHCT1", "study_uid": "1.2", "series_uid": "1.2.1", "sop_hash": sop,
        "modality": "CT", "serial": "S1", "model": "CT9000", "station": "RENAMED", "acquired_at": at,
        "acquired_clock": "acquisition", "is_original": True, "message_at": at,
    }  # fmt: skip
    return "instance", {**common(accession, mrn, columns.pop("facility", "NORTH")), **given, **columns}
