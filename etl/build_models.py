"""Models of the warehouse as the build needs them: what to run, in which order, and which rows to derive again."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from sql.catalog import CHECK_KEYS, MODEL_KEYS, MODEL_OPTIONAL, Column, read_model
from sql.headers import SQL, read_header

MACROS = SQL / "macros.py"
#: A term of `sorted_by` that is coarser than its column, as it is written behind the alias of the rows.
_MONTH_OF = re.compile(r"(\w+)\.month of (\w+)")


@dataclass(frozen=True, slots=True)
class BuildModel:
    """One model: `materialize` is view, table or work; of marts only tables are published.

    `scope` names the touched keys that an incremental build derives again, with the expression of their since-bound;
    of a `tally` the rows are sums by `keys`, to which an incremental build adds what changed. Beside the sums it may
    have `extremes` (column -> latest or least); `again` says where one that is lost is looked for: the mart of the
    exams and, where not in all its rows, its column whose day is a key of the tally.

    Facts are `sorted_by` month, facility and time: a month of a large network is about as long as a group of rows that
    the engine reads or leaves at once, and within it the rows of one facility lie side by side.
    """

    name: str
    number: int
    keys: tuple[str, ...]
    materialize: str
    scope: str
    scope_column: str
    sorted_by: tuple[str, ...]
    extremes: dict[str, str]
    again: tuple[str, ...]
    columns: tuple[Column, ...]
    body: str

    def order(self, rows: str) -> str:
        """The ORDER BY of the `rows` that are written, by their alias; by the key where the header tells no order."""
        terms = (f"{rows}.{name}" for name in self.sorted_by or self.keys)
        return ", ".join(_MONTH_OF.sub(r"date_trunc('month', \1.\2)", term) for term in terms)


def read_build_model(path: Path) -> BuildModel:
    """The model of one file. Raises CatalogError where its header is not complete."""
    model, header = read_model(path), read_header(path, MODEL_KEYS, MODEL_OPTIONAL)
    scope, _, scope_column = header.one("scope", "all").partition(" ")
    extremes = {name: kind for kind in ("latest", "least") for name in header.words(kind)}
    return BuildModel(
        name=model.name, number=model.number, keys=header.words("key"), materialize=model.materialize, scope=scope,
        scope_column=scope_column, sorted_by=header.words("sorted_by"), extremes=extremes,
        again=tuple(header.one("again").split()), columns=model.columns, body=model.body,
    )  # fmt: skip


@cache
def read_build_models(folder: str) -> tuple[BuildModel, ...]:
    """All models of `sql/<folder>` by number."""
    return tuple(sorted(map(read_build_model, (SQL / folder).glob("*.sql")), key=lambda m: (m.number, m.name)))


#: What a staging model reads that is about the exams of one part.
_OF_EXAMS = re.compile(r"\b(?:exam_mention|visit_mention|raw_\w+)\b")
#: What a mart reads that follows from the changes of the exams: the scopes of patients, readers, devices and groups.
_OF_SCOPES = re.compile(
    r"\b(?:touched_(?:patient|radiologist|device|backlog|worklist)\w*|(?:exam|wait|stay)_changed|device_profile|"
    r"patient_exam|read_near)\b"
)


@dataclass(frozen=True, slots=True)
class Plan:
    """Order of a build: `common` staging, for each part of the exams `staging` and `exam_marts`, then the marts of
    which scopes follow (`scoping`), and, once there are scopes, all other `marts`."""

    common: tuple[BuildModel, ...]
    staging: tuple[BuildModel, ...]
    exam_marts: tuple[BuildModel, ...]
    scoping: tuple[BuildModel, ...]
    marts: tuple[BuildModel, ...]

    def n_steps(self, parts: int) -> int:
        """Models that a build of so many parts derives."""
        rest = len(self.scoping) + len(self.marts)
        return len(self.common) + parts * (len(self.staging) + len(self.exam_marts)) + rest


@cache
def plan_build() -> Plan:
    """The models of staging and marts in the order of `Plan`, by number within each."""
    staging, marts = read_build_models("staging"), read_build_models("marts")
    of_exams: set[str] = set()
    for model in staging:
        reads = set(re.findall(r"\w+", model.body))
        if _OF_EXAMS.search(model.body) or reads & of_exams:
            of_exams.add(model.name)
    rest = [m for m in marts if m.scope != "exam"]
    first = next(n for n, m in enumerate(rest) if _OF_SCOPES.search(m.body))
    return Plan(
        common=tuple(m for m in staging if m.name not in of_exams),
        staging=tuple(m for m in staging if m.name in of_exams),
        exam_marts=tuple(m for m in marts if m.scope == "exam"),
        scoping=tuple(rest[:first]),
        marts=tuple(rest[first:]),
    )


@cache
def read_checks() -> dict[str, str]:
    """Name and query of every check of `sql/checks`."""
    headers = (read_header(path, CHECK_KEYS, set()) for path in sorted((SQL / "checks").glob("*.sql")))
    return {header.one("name"): header.body for header in headers}


@cache
def checked_marts() -> tuple[str, ...]:
    """Marts of which checks read `<mart>_new`: the rows that the build makes, all of a build of all exams."""
    named = re.compile(r"\b((?:fct|dim|dq)_\w+)_new\b")
    return tuple(sorted({mart for body in read_checks().values() for mart in named.findall(body)}))


@cache
def models_signature() -> str:
    """SHA-256 over every file of staging and marts and the macros, as hex."""
    digest = hashlib.sha256()
    for path in (*sorted((SQL / "staging").glob("*.sql")), *sorted((SQL / "marts").glob("*.sql")), MACROS):
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()
