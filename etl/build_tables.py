"""Small tables that the models join, made from the site folder and the shipped references at each build."""

from __future__ import annotations

import csv
import hashlib
from pathlib import Path

import duckdb
import polars as pl

from etl.frames import table
from etl.identity_nodes import NODE_KINDS
from etl.procedure_match import SAME_MODALITY, fits_modality, near_regions, procedures, span
from etl.procedures import resolve

REFERENCE = Path(__file__).parent / "reference"
MINUTES_OF_WEEK = 7 * 24 * 60
#: What should be told of each exam, from its order to its charge.
CHAIN_LINKS = ("order", "booking", "visit", "status", "step", "images", "report", "charge", "reject_note")
_PLACE = "coalesce(a.facility, 'unmapped') AS facility"
_BY_ALIAS = "LEFT JOIN facility_alias a ON a.alias = lower(trim(f.facility_alias))"

#: Patients that must share the text of a procedure name before it is published: a rarer one may be written for one.
SHARED_BY = 5
#: Temporary view to its SQL over the raw store.
INTAKE_VIEWS: dict[str, str] = {
    # Texts of names that many patients share, with the key of fct_label.
    "shared_text": f"""
        SELECT keyed('label', concat_ws('^', facility, coalesce(code, ''),
                                        CASE WHEN code IS NULL THEN text ELSE '' END)) AS label_key, text, n_patients
        FROM intake.work.name_text
        WHERE n_patients >= {SHARED_BY}""",
    "batch_time": "SELECT batch_id, loaded_at FROM intake.raw_batch",
    "actor_name": "SELECT actor, name FROM intake.work.actor",
    "identity_flag": "SELECT rank, node, flag FROM intake.work.flag",
    # Patients in whose merges no identifier survives: each was merged into another.
    "merge_cycle": """
        SELECT p.person FROM intake.work.patient p
        JOIN (SELECT low AS patient, prior FROM intake.work.patient_edge WHERE kind = 'merge'
              UNION SELECT high, prior FROM intake.work.patient_edge WHERE kind = 'merge') e USING (patient)
        GROUP BY p.person HAVING count(DISTINCT p.patient) = count(DISTINCT e.prior)""",
}


#: Temporary view to its SQL over what batches after one of them told.
_BATCH_VIEWS = {
    "message_flow": f"SELECT f.*, {_PLACE} FROM intake.raw_flow f {_BY_ALIAS}",
    "message_fault": f"SELECT f.*, {_PLACE} FROM intake.raw_fault f {_BY_ALIAS}",
}


def reference_rows(name: str) -> list[dict[str, str]]:
    """Rows of the shipped `reference/<name>.csv`."""
    with (REFERENCE / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def reference_signature() -> str:
    """SHA-256 over the shipped reference tables, as hex."""
    digest = hashlib.sha256()
    for path in sorted(REFERENCE.glob("*.csv")):
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def header_tables() -> dict[str, pl.DataFrame]:
    """What image headers may say beside each procedure: regions of a body part, modalities, regions, most views."""
    known = procedures()
    modalities = sorted({p.modality for p in known})
    seen = sorted({*modalities, *SAME_MODALITY})
    near = [(part, region) for part, regions in sorted(near_regions().items()) for region in sorted(regions)]
    fits = [(of, header) for of in modalities for header in seen if fits_modality(of, header)]
    regions = [(p.id, region) for p in known for region in sorted(p.regions)]
    views = [(p.id, span(p.views)[1]) for p in known if p.views]
    agents = [(row["agent"], row["means"]) for row in reference_rows("contrast_agents")]
    return {
        "body_part_near": pl.DataFrame(near, schema=["body_part", "region"], orient="row"),
        "modality_fits": pl.DataFrame(fits, schema=["modality", "header"], orient="row"),
        "procedure_region": pl.DataFrame(regions, schema=["procedure", "region"], orient="row"),
        "procedure_views": pl.DataFrame(views, schema={"procedure": pl.String, "most": pl.Int32}, orient="row"),
        "contrast_agent": pl.DataFrame(agents, schema=["agent", "means"], orient="row"),
    }


def load_build_tables(con: duckdb.DuckDBPyConnection) -> None:
    """Create the temporary tables of the shipped references and the views of `INTAKE_VIEWS`."""
    rules = pl.DataFrame(reference_rows("milestones")).with_columns(pl.col("preference").cast(pl.Int32))
    codes = pl.DataFrame([(p.id, p.loinc or None) for p in procedures()], schema=["procedure", "loinc"], orient="row")
    shipped = (
        pl.DataFrame(reference_rows("procedures"))
        .with_columns(pl.col(pl.String).replace("", None), is_follow_up=pl.col("follow_up") == "true")
        .join(codes, on="procedure")
    )
    tables = {
        "milestone_rule": rules,
        "procedure_reference": shipped.drop("follow_up", "complete"),
        "body_part_region": pl.DataFrame(reference_rows("body_parts")),
        **header_tables(),
        "reject_reason": pl.DataFrame(reference_rows("reject_reasons")),
        "node_kind": pl.DataFrame(
            {"rank": [k.rank for k in NODE_KINDS], "identifier": [k.column for k in NODE_KINDS]},
            schema={"rank": pl.UInt8, "identifier": pl.String},
        ),
        "chain_link": pl.DataFrame({"link": CHAIN_LINKS}),
        "iso_weekday": pl.DataFrame({"weekday": range(1, 8)}, schema={"weekday": pl.Int32}),
        "week_minute": pl.DataFrame({"minute_of_week": range(MINUTES_OF_WEEK)}, schema={"minute_of_week": pl.Int32}),
    }
    for name, rows in tables.items():
        table(con, name, rows)
    for name, sql in INTAKE_VIEWS.items():
        con.execute(f"CREATE OR REPLACE TEMP VIEW {name} AS {sql}")


def load_batch_views(con: duckdb.DuckDBPyConnection, since: int) -> None:
    """Create temporary views `message_flow` and `message_fault`: messages and faults of the batches after `since`."""
    for name, sql in _BATCH_VIEWS.items():
        con.execute(f"CREATE OR REPLACE TEMP VIEW {name} AS {sql} WHERE f.batch_id > {since}")


#: SQL for the distinct local names of the staged exams. A name is told apart by the modality and the body part of the
#: images beside it: both are evidence.
NAMES = """
    SELECT DISTINCT facility, procedure_code AS code, procedure_text AS text, procedure_system AS system,
           alternate_code, alternate_text, alternate_system, modality, body_part,
           name_key(facility, procedure_code, procedure_text, procedure_system, alternate_code, alternate_text,
                    alternate_system, modality, body_part) AS name_key
    FROM stg_exam_fact ORDER BY name_key"""


def load_procedure_names(con: duckdb.DuckDBPyConnection, names: pl.DataFrame) -> None:
    """Create `procedure_name`: each of the `names` of the staged exams with the procedure that it says."""
    site_loinc = dict(con.execute("SELECT loinc, procedure FROM site_loinc ORDER BY ALL").fetchall())
    table(con, "procedure_name", resolve(names, site_loinc))
