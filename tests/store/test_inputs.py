"""Files to ingest from everywhere: the same rows as from a folder, nothing of what changed or is being written."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from etl.errors import UnreadableInputError
from etl.inbox import Candidate, UnsafeFileError, named, read_file, scan
from etl.parsing import run_job
from etl.site import Site
from etl.store import Place, open_place
from etl.store.inputs import SECOND, version
from tests.etl import dicom_made as made
from tests.etl.test_poison import MESSAGE
from tests.installation import Installation
from tests.raw_rows import raw_rows
from tests.spark_cluster import needs_spark


def fill(place: Place, tmp_path: Path) -> Path:
    """The same files in a folder and at the place: HL7, an image with pixels, one of no use, and some being written."""
    folder = tmp_path / "files"
    (folder / "a").mkdir(parents=True)
    for number in range(5):
        (folder / "a" / f"{number}.hl7").write_bytes(MESSAGE % (number, number, number))
    (folder / "big.dcm").write_bytes(made.file_of(made.image(SOPInstanceUID="1.2.3", PixelData=bytes(1 << 17))))
    (folder / "none").write_bytes(b"\x00 of no use")
    (folder / "late.hl7.part").write_bytes(MESSAGE % (9, 9, 9))
    (folder / ".hidden").write_bytes(MESSAGE % (9, 9, 9))
    place.fs.makedirs(place.path("a"), exist_ok=True)
    for path in folder.rglob("*"):
        if path.is_file():
            place.fs.pipe_file(place.path(path.relative_to(folder).as_posix()), path.read_bytes())
    return folder


def seen(place: Place) -> list[Candidate]:
    """What a scan of a place finds through fsspec, be it a folder of this machine."""
    url = f"local://{place.root}" if place.kind == "file" else place.url
    return list(scan([url], getattr(place.fs, "endpoint_url", None) or ""))


def test_what_is_there_is_read_as_from_a_folder(place: Place, tmp_path: Path) -> None:
    folder = fill(place, tmp_path)
    here, there = list(scan([folder])), seen(place)
    assert [c.path.rpartition("/")[2] for c in there] == [c.path.rpartition("/")[2] for c in here]
    assert [c.size for c in there] == [c.size for c in here]
    assert all("://" in c.path and c.modified_ns > SECOND for c in there)
    assert [read_file(c, 1 << 20) for c in there] == [Path(c.path).read_bytes() for c in here]
    mine, other = (run_job(found, Site(), 30.0, 1 << 30) for found in (here, there))
    assert [(f.file_id, f.standard, f.n_read, f.hashes) for f in other.files] == [
        (f.file_id, f.standard, f.n_read, f.hashes) for f in mine.files
    ]
    assert {name: rows.rows() for name, rows in other.frames.items()} == {n: r.rows() for n, r in mine.frames.items()}
    assert other.frames["instance"].height == 1


def test_what_changed_or_vanished_waits(place: Place, tmp_path: Path) -> None:
    fill(place, tmp_path)
    first, second, *_ = seen(place)
    place.fs.pipe_file(place.path("a/0.hl7"), (MESSAGE % (7, 7, 7)) + b"\r")
    place.fs.rm_file(place.path("a/1.hl7"))
    for candidate, reason in ((first, "changing"), (second, "vanished")):
        with pytest.raises(UnsafeFileError) as raised:
            read_file(candidate, 1 << 20)
        assert raised.value.reason == reason
    assert [file.skipped for file in run_job([first, second], Site(), 30.0, 1 << 30).files] == ["changing", "vanished"]
    assert seen(place)[0] != first


def test_the_same_size_within_a_second_is_another_version() -> None:
    told = {"LastModified": "2026-03-02T10:00:00+00:00", "ETag": '"one"'}
    assert version(told) // SECOND == version({**told, "ETag": '"two"'}) // SECOND
    assert version(told) != version({**told, "ETag": '"two"'})
    assert version({"mtime": 12.5}) == 12 * SECOND + SECOND // 2


def test_names_of_inputs() -> None:
    assert named("/srv/in") == Path("/srv/in")
    assert named("file:///srv/in%20box") == Path("/srv/in box")
    assert named("s3://bucket/in") == "s3://bucket/in"
    with pytest.raises(UnreadableInputError):
        list(scan(["local:///not/there/at/all"]))


@pytest.mark.parametrize("engine", ["duckdb", "spark"])
def test_a_bucket_is_ingested_like_a_folder(s3: str, tmp_path: Path, engine: str) -> None:
    """By parser processes and by executors; what was read is known again, and what changes is read."""
    if engine == "spark":
        needs_spark()
    place = open_place(f"s3://radops-test/inbox-{tmp_path.name}", s3)
    folder = fill(place, tmp_path)
    here = Installation(tmp_path / "here")
    there = Installation(tmp_path / "there", {"s3_endpoint": s3})
    here.radops("ingest", str(folder))
    for _ in range(2):
        there.radops("ingest", "--engine", engine, "--master", "local[1]", place.url)
        assert there.ledger() == here.ledger() == {"read": 7, "kept": 6, "rejected": 1, "duplicate": 0}
    assert raw_of(there) == raw_of(here)
    place.write("a/0.hl7", MESSAGE % (8, 8, 8))
    there.radops("ingest", place.url)
    assert there.ledger()["read"] == 8
    assert place.url in there.rows("SELECT path FROM raw_path", "intake.duckdb")[0][0]
    there.radops("ingest", f"s3://no-such-bucket-{tmp_path.name}/x", check=11)


def raw_of(home: Installation) -> dict[str, list[tuple[object, ...]]]:
    with duckdb.connect(str(home.root / "intake.duckdb"), read_only=True) as con:
        return raw_rows(con)
