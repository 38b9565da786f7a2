"""What is known of an installation without opening the writer's files: snapshot, freshness, backlog, last batches."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime
from typing import Any

import duckdb

from etl.home import Home
from etl.publish import current, read_meta

#: Stages whose last log line `status` repeats.
STAGES = (
    "ingest", "build", "rebuild", "publish", "scope", "put", "put_scope", "parquet", "parquet_scope", "pull", "export",
    "digest", "failed",
)  # fmt: skip
#: Stages that go to another place and may fail there -> what is then wrong.
ELSEWHERE = {
    "put": "the newest snapshot is not where RADOPS_PUBLISH_TO says",
    "put_scope": "the newest snapshot of a scope is not where RADOPS_PUBLISH_TO says",
    "parquet": "the newest marts are not as Parquet where RADOPS_PARQUET_TO says",
    "parquet_scope": "the newest marts of a scope are not as Parquet where RADOPS_PARQUET_TO says",
    "pull": "no newer snapshot could be taken from RADOPS_PULL_FROM",
}
#: What a build of everything may need beside what lies there, as a multiple of the marts: new ones, and temporary files
#: of a good two times as much, as measured with ten million exams.
ROOM = 3.5


def status(home: Home) -> dict[str, Any]:
    """Snapshot, digest, data_through, exams and backlog by facility, silent sources, last stages, alarms."""
    newest = current(home)
    if newest is None:
        return {"snapshot": None, "digest": None, "data_through": None, "alarms": ["nothing is published yet"]}
    meta = read_meta(newest)
    if meta is None:
        return {"snapshot": None, "digest": None, "data_through": None, "alarms": [f"{newest.name} is damaged"]}
    snapshot_id, digest, _, data_through, built_at = meta
    with duckdb.connect(str(newest), read_only=True) as con:
        exams = dict(con.execute("SELECT facility, count(*) FROM fct_exam GROUP BY 1 ORDER BY 1").fetchall())
        waiting = dict(
            con.execute(
                """SELECT facility, count(*) FROM fct_exam WHERE is_countable AND first_final_at IS NULL
                   GROUP BY 1 ORDER BY 1"""
            ).fetchall()
        )
        sources = con.execute("SELECT source, max(last_at) FROM dq_freshness GROUP BY 1 ORDER BY 1").fetchall()
    silent = [
        source
        for source, last in sources
        if last and data_through and (data_through - last).total_seconds() > home.settings.silence_hours * 3600
    ]
    age_h = (datetime.now(UTC).replace(tzinfo=None) - built_at).total_seconds() / 3600
    alarms = [f"no message from {source} for over {home.settings.silence_hours:g} h" for source in silent]
    if age_h > home.settings.silence_hours:
        alarms.append(f"the newest snapshot is {age_h:.0f} h old")
    alarms += _short_of_room(home)
    stages = last_stages(home)
    alarms += [
        f"{what}: {stages[name]['error']}" for name, what in ELSEWHERE.items() if "error" in stages.get(name, {})
    ]
    letters = stages.get("digest", {})
    if letters.get("failed"):
        alarms.append(f"the last digest could not be sent to {letters['failed']} of its readers")
    if letters.get("readers") and not letters["has_server"]:
        alarms.append("readers wait for digests, and no mail server is set (RADOPS_SMTP_HOST)")
    return {
        "snapshot": snapshot_id,
        "digest": digest,
        "data_through": data_through,
        "built_at": built_at,
        "path": str(newest),
        "exams": exams,
        "waiting_for_report": waiting,
        "freshness": {source: str(last) for source, last in sources},
        "last_stages": stages,
        "alarms": alarms,
    }


def _short_of_room(home: Home) -> list[str]:
    """An alarm before the disk is full, where marts are built and not pulled."""
    wanted = ROOM * home.marts.stat().st_size if home.marts.exists() else 0.0
    free = shutil.disk_usage(home.root).free
    if free >= wanted:
        return []
    gb = 1e9
    return [f"{free / gb:.1f} GB are free on the disk of RADOPS_HOME; a build of everything may need {wanted / gb:.1f}"]


def last_stages(home: Home) -> dict[str, dict[str, Any]]:
    """The newest log line of each stage."""
    path = home.log / "radops.log"
    found: dict[str, dict[str, Any]] = {}
    if path.exists():
        for line in path.read_text("ascii").splitlines():
            try:
                facts = json.loads(line)
            except json.JSONDecodeError:  # a line that a killed process did not finish
                continue
            if facts["event"] in STAGES:
                found[facts.pop("event")] = facts
    return found
