"""The compiled twin of opening and reading files and the plain one: the same octets and the same reasons."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from etl import files_twin
from etl.deadline import Deadline, TooSlow, alarm
from etl.inbox import Candidate, Fetch, Opened, UnsafeFileError, begun, read_file
from tests.conftest import needs_compiled

SIZE = 100_000


@pytest.fixture(autouse=True, params=["compiled", "python"])
def _twin(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "compiled":
        needs_compiled(files_twin.BUILT)
    monkeypatch.setattr(files_twin, "KERNEL", files_twin.BUILT if request.param == "compiled" else None)


@pytest.fixture
def seen(tmp_path: Path) -> Candidate:
    """A file of 100,000 octets, named with octets that are no UTF-8."""
    path = os.fsdecode(os.fsencode(tmp_path) + b"/\xe4.dcm")
    Path(path).write_bytes(bytes(range(250)) * 400)
    info = Path(path).stat()
    return Candidate(path, info.st_size, info.st_mtime_ns)


@pytest.fixture(autouse=True)
def _nothing_stays_open() -> Iterator[None]:
    before = sorted(os.listdir("/proc/self/fd"))
    yield
    assert sorted(os.listdir("/proc/self/fd")) == before


def reason(candidate: Candidate) -> str:
    with pytest.raises(UnsafeFileError) as refused:
        read_file(candidate, 1 << 30)
    return refused.value.reason


def test_parts_of_a_file(seen: Candidate) -> None:
    whole = bytes(range(250)) * 400
    assert read_file(seen, SIZE) == whole
    with Opened(seen) as file:
        assert file.head(10) == whole[:10]
        assert file.head(1 << 40) == whole
        for at, n in ((0, 0), (5, 20), (SIZE - 3, 8), (SIZE, 8), (1 << 40, 8), (0, SIZE * 3)):
            assert file.part(at, n) == whole[at : at + n]


def test_what_is_not_as_it_was(seen: Candidate, tmp_path: Path) -> None:
    assert reason(Candidate(seen.path, SIZE + 1, seen.modified_ns)) == "changing"
    assert reason(Candidate(seen.path, SIZE - 1, seen.modified_ns)) == "changing"
    assert reason(Candidate(seen.path, SIZE, seen.modified_ns + 1)) == "changing"
    file = Opened(seen)
    assert file.head(4) == bytes(range(4))
    os.utime(seen.path, ns=(1, seen.modified_ns + 1_000_000_000))
    with pytest.raises(UnsafeFileError, match="changing"):
        file.__exit__(None)
    os.link(seen.path, tmp_path / "second")
    assert reason(seen) == "linked"


def test_what_is_no_plain_file(seen: Candidate, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(seen.path)
    os.mkfifo(tmp_path / "pipe")
    for name, expected in (("link", "not_regular"), ("pipe", "not_regular"), ("", "not_regular"), ("none", "vanished")):
        assert reason(Candidate(str(tmp_path / name), 1, 1)) == expected
    assert reason(Candidate("/dev/null", 1, 1)) == "not_regular"
    with pytest.raises(ValueError, match="null"):
        read_file(Candidate("/a\0b", 1, 1), 9)


def test_a_file_that_was_closed_is_no_crash(seen: Candidate) -> None:
    file = Opened(seen)
    os.close(file.handle)
    with pytest.raises(UnsafeFileError, match="read_error"):
        file.part(0, 1)
    with pytest.raises(OSError, match="Bad file"):
        file.__exit__(None)


def test_the_first_part_tells_all(seen: Candidate) -> None:
    """Where there is the compiled twin, the file is closed then; the plain one does not ask."""
    asked: list[tuple[bytes, int, str, bytes]] = []

    def work(octets: bytes, size: int, given: str, fetch: Fetch) -> str | None:
        asked.append((octets, size, given, fetch(SIZE - 5, 3)))
        return given or None

    whole = bytes(range(250)) * 400
    for given, n in (("told", 10), ("", 10), ("told", 1 << 40), ("", 1 << 40), ("", 0)):
        found = begun(seen, n, work, given)
        if isinstance(found, Opened):
            assert not (given and files_twin.KERNEL)
            with found as file:
                assert file.head(n) == whole[:n]
                assert file.head(7) == whole[:7]
                assert file.part(5, 20) == whole[5:25]
        else:
            assert found == ("told", whole[:n])
        if files_twin.KERNEL:
            assert asked.pop() == (whole[:n], SIZE, given, whole[-5:-2])
        assert not asked


def test_too_much_is_not_read_on(seen: Candidate) -> None:
    def work(_octets: bytes, _size: int, _given: None, fetch: Fetch) -> list[int]:
        return [len(fetch(n, 8)) for n in range(100)]

    for _ in range(2):
        found = begun(seen, 1, work, None)
        if files_twin.KERNEL:
            assert not isinstance(found, Opened)
            assert found[0] == [8] * 64 + [0] * 36
        elif isinstance(found, Opened):
            found.__exit__(None)


def test_a_first_part_of_a_file_that_is_not_as_it_was(seen: Candidate, tmp_path: Path) -> None:
    def change(*_given: object) -> str:
        os.utime(seen.path, ns=(1, seen.modified_ns + 1_000_000_000))
        return "told"

    def fail(*_given: object) -> str:
        raise ZeroDivisionError

    for work in (change, fail):
        for candidate in (seen, Candidate(seen.path, SIZE + 1, seen.modified_ns), Candidate(seen.path, 9, 1)):
            found = begun(candidate, 1 << 40, work, None)
            assert isinstance(found, Opened)
            change()
            with pytest.raises(UnsafeFileError, match="changing"):
                found.__exit__(None)
    os.link(seen.path, tmp_path / "second")
    with pytest.raises(UnsafeFileError, match="linked"):
        begun(seen, 9, change, None)
    with pytest.raises(UnsafeFileError, match="vanished"):
        begun(Candidate("/none", 1, 1), 9, change, None)


def test_a_limit_interrupts_and_is_taken_back() -> None:
    with alarm():
        with pytest.raises(TooSlow), Deadline(0.01):
            signal.pause()
        with Deadline(0.02):
            pass
        time.sleep(0.03)
        with pytest.raises(TooSlow), Deadline(1e-9):
            time.sleep(5)
    assert signal.getitimer(signal.ITIMER_REAL)[0] == 0


def test_an_alarm_that_goes_before_is_set_anew() -> None:
    """It may have been set for work that was done in time, and the work at hand may have more or less of it."""
    with alarm():
        for seconds in (0.05, 0.2, 5):
            with Deadline(seconds):
                pass
        assert 0 < signal.getitimer(signal.ITIMER_REAL)[0] <= 0.05
        start = time.monotonic()
        with pytest.raises(TooSlow), Deadline(0.15):
            time.sleep(5)
        assert time.monotonic() - start >= 0.15
        with Deadline(100):
            pass
        with pytest.raises(TooSlow), Deadline(0.05):
            time.sleep(5)
    with Deadline(0.01):  # nobody hears it
        time.sleep(0.02)
    with alarm(), pytest.raises(TooSlow), Deadline(0.01):
        time.sleep(5)


def test_wrong_use_is_an_error() -> None:
    needs_compiled(files_twin.BUILT)
    kernel = files_twin.BUILT
    assert kernel is not None
    for given in ((), (0, 1), ("0", 1, 1), (0, None, 1)):
        with pytest.raises(TypeError):
            kernel.read(*given)
    for given in ((-1, 1, 1), (0, -1, 0), (0, 1, -1), (1 << 40, 1, 1), (0, 1 << 62, 1 << 62)):
        with pytest.raises(ValueError, match="no such octets"):
            kernel.read(*given)
    for given in ((), ("0", 1, 1)):
        with pytest.raises(TypeError):
            kernel.close(*given)
    with pytest.raises(ValueError, match="no such file"):
        kernel.close(-1, 0, 0)
    for given in ((), ("/", "1", 1, 1, len, 1), (1, 1, 1, 1, len, 1)):
        with pytest.raises(TypeError):
            kernel.begin(*given)
    with pytest.raises(ValueError, match="no such octets"):
        kernel.begin("/", -1, 1, 1, len, 1)
    for given in (1, None):
        with pytest.raises(TypeError):
            kernel.open(given)
