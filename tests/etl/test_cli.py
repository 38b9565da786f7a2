"""Every verb as a user calls it: output, JSON shape, exit code."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from etl.cli import main
from sql.definitions import definitions
from tests.installation import Installation


class Answer(NamedTuple):
    """What a verb said."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Verb = Callable[..., Answer]


@pytest.fixture
def radops(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Verb:
    """Calls the entry point in this process with a home of its own."""
    for name in [name for name in os.environ if name.startswith("RADOPS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("RADOPS_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("RADOPS_WORKERS", "1")

    def call(*arguments: str) -> Answer:
        monkeypatch.setattr("sys.argv", ["radops", *arguments])
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        code = ended.value.code
        assert isinstance(code, int)
        told = capsys.readouterr()
        assert "Traceback" not in told.err
        return Answer(code, told.out, told.err)

    return call


@pytest.fixture(scope="module")
def published(network: Path, tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """The network's files, published; read only."""
    house = Installation(tmp_path_factory.mktemp("published"))
    house.stages(paths=[network / "files"])
    return house


@pytest.fixture
def at_published(published: Installation, radops: Verb, monkeypatch: pytest.MonkeyPatch) -> Verb:
    monkeypatch.setenv("RADOPS_HOME", str(published.root))
    return radops


def test_run_tells_its_stages_as_json(radops: Verb, network: Path, tmp_path: Path) -> None:
    answer = radops("run", str(network / "files"), "--json")
    assert answer.code == 0
    assert list(answer.json) == ["ingest", "build", "publish"]
    ingest = answer.json["ingest"]
    assert ingest["read"] == ingest["kept"] + ingest["rejected"] + ingest["duplicate"] > 300
    assert answer.json["build"]["digest"] == answer.json["publish"]["digest"]
    assert answer.json["publish"]["is_new"]
    stages = [json.loads(line)["event"] for line in answer.err.splitlines()]
    assert stages == ["site", "ingest", "build", "publish"]
    again = radops("run", str(network / "files"))
    assert (again.code, again.out) == (0, "")
    assert [line.partition(":")[0] for line in again.err.splitlines()] == ["ingest", "build", "publish"]
    assert "read 0, kept 0, rejected 0, duplicate 0" in again.err
    assert "is new no" in again.err
    log = [json.loads(line) for line in (tmp_path / "home/log/radops.log").read_text("ascii").splitlines()]
    assert [line["event"] for line in log] == [*stages, *stages[1:]]


def test_stages_one_by_one_are_the_run(radops: Verb, network: Path) -> None:
    assert radops("ingest", str(network / "files"), "--json").json["ingest"]["kept"] > 300
    built = radops("build", "--json").json["build"]
    assert radops("publish", "--json").json["publish"]["digest"] == built["digest"]
    again = radops("rebuild", "--json").json["build"]
    assert (again["digest"], again["is_full"]) == (built["digest"], True)
    assert not radops("publish", "--json").json["publish"]["is_new"]


def test_status(at_published: Verb, published: Installation) -> None:
    answer = at_published("status", "--json")
    assert answer.code == 0
    status = answer.json
    assert status["snapshot"] == f"000001-{status['digest'][:12]}"
    assert status["digest"] == published.digest()
    assert status["data_through"] > "2026-11-1"
    assert sum(status["exams"].values()) == published.rows("SELECT count(*) FROM fct_exam")[0][0]
    assert {"built_at", "path", "waiting_for_report", "freshness", "last_stages", "alarms"} <= status.keys()
    assert status["snapshot"] in at_published("status").out.splitlines()[0]


def test_status_before_the_first_run(radops: Verb) -> None:
    answer = radops("status", "--json")
    assert answer.code == 0
    assert (answer.json["snapshot"], answer.json["alarms"]) == (None, ["nothing is published yet"])


def test_export(at_published: Verb, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a few metrics: the pack as a whole is tested in test_export.py."""
    few = ("report_final", "utilization", "freshness")
    monkeypatch.setattr("etl.export.definitions", lambda snapshot: {name: definitions(snapshot)[name] for name in few})
    answer = at_published("export", "--period", "2026-11", "--out", str(tmp_path / "pack"), "--json")
    assert answer.code == 0
    names = {path.name for path in (tmp_path / "pack").iterdir()}
    assert {file["name"] for file in answer.json["files"]} | {"manifest.json"} == names
    tables = ("summary", "scorecard", "findings", "course", *few)
    documents = {f"radops_2026-11.{kind}" for kind in ("xlsx", "pdf")}
    assert names == {"manifest.json", *(f"{name}.csv" for name in tables), *documents}
    assert at_published("export", "--period", "2026-13", "--out", str(tmp_path / "no")).code == 2


def test_map_lists_what_is_unmapped(at_published: Verb, tmp_path: Path) -> None:
    rows = at_published("map", "--json").json
    assert at_published("map", "--out", str(tmp_path / "map.csv")).code == 0
    lines = (tmp_path / "map.csv").read_text("utf-8").splitlines()
    assert lines[0].startswith("facility,code,text,modality,n_exams,")
    assert len(lines) == len(rows) + 1


def test_one_change_and_the_best_move(at_published: Verb) -> None:
    answer = at_published("what-if", "add_reader:hours=17-22", "--runs", "1", "--json").json
    assert answer["sentence"] == "One more radiologist 17 to 22 h"
    assert answer["measures"]["target_misses"]["n"] > 0
    found = at_published("rebalance", "--runs", "1", "--json").json
    assert found["moves"]
    assert found["best"] == next((move["move"] for move in found["moves"] if move["is_clear"]), None)
    wrong = at_published("rebalance", "--filters", "priority=stat")
    assert wrong.code != 0
    assert "no filter on priority" in wrong.err


def test_lint(radops: Verb, network: Path, tmp_path: Path) -> None:
    good = tmp_path / "good.hl7"
    good.write_bytes(next((network / "files").rglob("*.hl7")).read_bytes())
    answer = radops("lint", str(good), "--json")
    assert answer.json["standard"] == "hl7"
    assert {key for finding in answer.json["findings"] for key in finding} <= {
        "severity", "position", "field", "rule", "chapter",
    }  # fmt: skip
    (tmp_path / "bad.hl7").write_text("MSH|^~\\&|RIS|EAST|X|Y||||1|P|2.3.1\rPID|1\r", "ascii")
    bad = radops("lint", str(tmp_path / "bad.hl7"))
    assert (bad.code, "does not conform" in bad.err) == (11, True)
    (tmp_path / "else.txt").write_text("hello", "ascii")
    assert radops("lint", str(tmp_path / "else.txt")).code == 11


def test_simulate(radops: Verb, tmp_path: Path) -> None:
    arguments = ("simulate", "--exams", "20", "--days", "3", "--seed", "4", "--start", "2026-05-01", "--json")
    answer = radops(*arguments, "--out", str(tmp_path / "a"))
    assert (answer.code, answer.json["exams"], answer.json["start"]) == (0, 20, "2026-05-01")
    assert sorted(path.name for path in (tmp_path / "a").iterdir()) == ["files", "site", "truth"]
    assert answer.json["dicom_files"] > 0
    assert radops(*arguments, "--out", str(tmp_path / "a"), "--messages-only").json["dicom_files"] == 0
    assert radops("simulate", "--out", str(tmp_path / "b"), "--exams", "0").code == 2


def test_demo_without_serving(radops: Verb, tmp_path: Path) -> None:
    assert radops("demo", "--no-serve", "--exams", "30", "--days", "3").code == 0
    assert (tmp_path / "home/published/radops.duckdb").exists()
    before = radops("status", "--json").json["digest"]
    assert radops("demo", "--no-serve", "--exams", "30", "--days", "3").code == 0
    assert radops("status", "--json").json["digest"] == before


def test_serve_and_demo_refuse_other_machines(radops: Verb) -> None:
    for verb in ("serve", "demo"):
        answer = radops(verb, "--host", "0.0.0.0")  # noqa: S104 - must be refused
        assert (answer.code, "127.0.0.1 only" in answer.err) == (10, True)


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("RADOPS_HOM", "x", "unknown setting RADOPS_HOM"),
        ("RADOPS_WORKERS", "many", "RADOPS_WORKERS"),
        ("RADOPS_MAX_REJECTS", "2", "RADOPS_MAX_REJECTS"),
    ],
)
def test_bad_settings(radops: Verb, monkeypatch: pytest.MonkeyPatch, name: str, value: str, told: str) -> None:
    monkeypatch.setenv(name, value)
    answer = radops("run")
    assert (answer.code, told in answer.err) == (10, True)


def test_key_that_others_can_read(radops: Verb, tmp_path: Path) -> None:
    assert radops("ingest").code == 0
    (tmp_path / "home/key/pseudonym.key").chmod(0o644)
    assert radops("run").code == 10


def test_site_that_cannot_be_used(radops: Verb, tmp_path: Path) -> None:
    (tmp_path / "home/site").mkdir(parents=True)
    (tmp_path / "home/site/site.toml").write_text('[site]\ndefault_zone = "Mars/Olympus"\n', "ascii")
    answer = radops("run")
    assert (answer.code, "Mars/Olympus" in answer.err) == (10, True)


@pytest.mark.parametrize(
    "arguments", [("run", "missing"), ("export", "--period", "2026-10"), ("map",), ("quarantine", "show", "1")]
)
def test_input_that_is_not_there(radops: Verb, arguments: tuple[str, ...]) -> None:
    answer = radops(*arguments)
    assert (answer.code, answer.out) == (11, "")
    assert answer.err.splitlines()[-1].startswith("radops: ")


def test_rejects_above_the_limit_after_the_rest_is_published(radops: Verb, network: Path, tmp_path: Path) -> None:
    inbox = tmp_path / "home/inbox"
    inbox.mkdir(parents=True)
    good = next((network / "files").rglob("*.hl7"))
    (inbox / "a.hl7").write_bytes(good.read_bytes())
    for number in range(100):
        (inbox / f"{number}.txt").write_text(f"no standard {number}", "ascii")
    answer = radops("run")
    assert (answer.code, "radops quarantine list" in answer.err) == (12, True)
    assert sum(radops("status", "--json").json["exams"].values()) > 0
    assert radops("run").code == 0


def test_second_writer_is_turned_away(radops: Verb, tmp_path: Path) -> None:
    assert radops("ingest").code == 0
    with (tmp_path / "home/radops.lock").open("r+") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        for arguments in (("run",), ("ingest",), ("build",), ("publish",), ("rebuild",), ("quarantine", "list")):
            answer = radops(*arguments)
            assert (answer.code, "already running" in answer.err) == (14, True)
        assert radops("status").code == 0
    assert radops("build").code == 0


def test_bug_has_exit_code_1_and_no_text(radops: Verb, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_arguments: object, **_options: object) -> None:
        raise RuntimeError("DOE^JANE")

    monkeypatch.setattr("etl.status.status", fail)
    answer = radops("status")
    assert (answer.code, "RuntimeError at" in answer.err, "DOE" in answer.err) == (1, True, False)


def test_bench_names_its_jobs(radops: Verb) -> None:
    answer = radops("bench", "nothing")
    assert (answer.code, "hl7" in answer.err) == (11, True)
