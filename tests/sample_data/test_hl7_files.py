"""Messages land in files by arrival, whatever waits on disk, and can be told apart again."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from etl.sources.hl7_text import spans
from sample_data import hl7_files, spool
from sample_data.emit_hl7 import Sent
from sample_data.hl7_files import FORMS, Hl7Files
from sample_data.hl7_noise import BROKEN, STRAY, noise_of

START = datetime(2026, 10, 20, 5)


def message(number: int) -> bytes:
    return f"MSH|^~\\&|RISB|NORTH|RADOPS|NET|20261020||ORU^R01|C{number}|P|2.5.1\rPID|1\r".encode()


def written(folder: Path, *, hours: int = 6) -> dict[str, bytes]:
    files = Hl7Files(folder, ["NORTH", "EAST"], hours=hours)
    for number in (3, 1, 2, 0, 5, 4):
        files.add(Sent(START + timedelta(hours=number * 5), ("NORTH", "EAST")[number % 2], message(number)))
    bad: list[tuple[str, int, str]] = []
    count = files.close(lambda *found: bad.append(found), lambda _: None)
    made = {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}
    assert count == sum(len(spans(data)) for data in made.values())
    return made


def test_a_file_covers_some_hours_of_one_facility(tmp_path: Path) -> None:
    names = set(written(tmp_path))
    assert names == {
        "NORTH/20261020/00.hl7", "EAST/20261020/06.hl7", "NORTH/20261020/12.hl7", "EAST/20261020/18.hl7",
        "NORTH/20261021/00.hl7", "EAST/20261021/06.hl7",
    }  # fmt: skip


def test_the_spool_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    at_once = written(tmp_path / "a")
    monkeypatch.setattr(spool, "SPOOL_BYTES", 100)
    assert written(tmp_path / "b") == at_once
    assert not (tmp_path / "b" / ".spool").exists()


@pytest.mark.parametrize("form", dict.fromkeys(FORMS), ids=lambda form: form.__name__)
def test_every_form_keeps_each_message(form: hl7_files.Form) -> None:
    data = form([message(1), message(2)], "name")
    assert [data[a:b].strip().replace(b"\r\n", b"\r").replace(b"\n", b"\r") for a, b in spans(data)] == [
        message(1).strip(),
        message(2).strip(),
    ]


def test_noise_says_where_it_put_the_broken_message() -> None:
    seen = set()
    for key in range(19 * 8):
        mixed, bad = noise_of(key, "EAST", START, [message(1)], is_framed=key == 19)
        for position, reason in bad:
            assert mixed[position] != message(1)
            seen.add(reason)
    assert seen == {reason for _, reason in (*BROKEN, STRAY)}
