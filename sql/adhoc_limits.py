"""What one statement of a person may use: bounds of its process, of the engine and of its result; and its walls.

The engine's settings are the first wall, the system's limits the second. Where bubblewrap can be used the process also
has no network, and sees only its snapshot and the interpreter.
"""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import sysconfig
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from sql.engine import SETTINGS

try:
    import resource
except ImportError:  # pragma: no cover - systems without limits of processes
    resource = None  # type: ignore[assignment]  # mypy has no word for a module that may be missing

MB = 2**20
#: Folder that holds the packages of this checkout or installation.
ROOT = Path(__file__).resolve().parents[1]
#: Where nothing is, for what asks for a home.
NOWHERE = "/nonexistent"
#: What keeps libraries from taking more address space than they use: Arrow's own allocator takes a GB at once, each
#: thread of the C library 64 MB. Symbols are bound at the start: a process ends where there is no room for one later.
_SMALL = {
    "ARROW_DEFAULT_MEMORY_POOL": "system", "MALLOC_ARENA_MAX": "1", "OMP_NUM_THREADS": "1", "ARROW_IO_THREADS": "1",
    "LD_BIND_NOW": "1",
}  # fmt: skip
#: Seconds to find out whether bubblewrap can be used here.
_PROBE = 10


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of one statement: seconds by the clock, rows and bytes (Arrow) of its result, memory in MB.

    `engine_mb` is what the engine gives to a statement, `process_mb` the whole address space of its process.
    """

    seconds: float = 30.0
    rows: int = 10_000
    bytes: int = 8 * MB
    engine_mb: int = 1024
    process_mb: int = 2560


def engine_settings(limits: Limits) -> dict[str, str | bool | int | float | list[str]]:
    """The engine's settings: what no reader may do, one thread, bounded memory, nothing written aside."""
    return {
        **SETTINGS,
        "memory_limit": f"{limits.engine_mb}MiB",
        "threads": 1,
        "temp_directory": "",
        "max_temp_directory_size": "0KB",
        "home_directory": NOWHERE,
        "errors_as_json": True,
        "python_enable_replacements": False,
        "python_scan_all_frames": False,
    }


def bound_process(limits: Limits) -> None:
    """Bound the process that calls this, as far as the system can; it is ended where its parent does not end it."""
    if resource is not None:
        wanted = {
            "RLIMIT_AS": limits.process_mb * MB,
            "RLIMIT_CPU": int(limits.seconds) + 5,
            "RLIMIT_NOFILE": 64,
            "RLIMIT_FSIZE": 0,
            "RLIMIT_CORE": 0,
        }
        for name, value in wanted.items():
            if hasattr(resource, name):
                with suppress(ValueError, OSError):  # macOS has no bound of the address space
                    resource.setrlimit(getattr(resource, name), (value, value))
    if hasattr(signal, "setitimer"):
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.setitimer(signal.ITIMER_REAL, limits.seconds + 5)


def environment() -> dict[str, str]:
    """All that a worker's environment holds."""
    return {"PYTHONPATH": str(ROOT), "LANG": "C.UTF-8", "HOME": NOWHERE, "TZ": "UTC", **_SMALL}


def command(snapshot: Path) -> list[str]:
    """The command of a worker over a snapshot: within bubblewrap where that can be used."""
    worker = [sys.executable, "-s", "-P", "-B", "-m", "sql.adhoc_worker", str(snapshot)]
    return [*walls(snapshot), *worker] if has_walls() else worker


def walls(snapshot: Path) -> list[str]:
    """bubblewrap's part of a command: nothing but the system's libraries, the interpreter, our code and a snapshot."""
    told = [shutil.which("bwrap") or "bwrap", "--unshare-all", "--die-with-parent", "--new-session", "--clearenv",
            "--cap-drop", "ALL"]  # fmt: skip
    for name, value in environment().items():
        told += ["--setenv", name, value]
    for path in ("/usr", "/lib", "/lib32", "/lib64", "/bin", "/etc/ld.so.cache"):
        told += ["--ro-bind-try", path, path]
    for path in _interpreter():
        told += ["--ro-bind", path, path]
    told += ["--proc", "/proc", "--dev", "/dev"]
    return [*told, "--ro-bind", str(ROOT / "sql"), str(ROOT / "sql"), "--ro-bind", str(snapshot), str(snapshot),
            "--chdir", "/", "--"]  # fmt: skip


def _interpreter() -> list[str]:
    """Folders that the interpreter and its packages are in; what stands below another is left out."""
    named = [sys.prefix, sys.base_prefix, sysconfig.get_path("purelib"), sysconfig.get_path("platlib")]
    real = [str(Path(name).resolve()) for name in named]
    # a link is seen under its own name too, since the interpreter is called by it
    paths = sorted({path for path in (*named, *real) if not path.startswith("/usr/") and path != "/usr"})
    return [path for path in paths if not any(path.startswith(f"{other}/") for other in paths)]


@cache
def has_walls() -> bool:
    """Whether bubblewrap is here and this system lets it work; found out once a process."""
    if shutil.which("bwrap") is None:
        return False
    try:
        probe = [*walls(Path(__file__)), sys.executable, "-s", "-P", "-B", "-c", "import duckdb, pyarrow, sql"]
        done = subprocess.run(  # noqa: S603 - our own words
            probe, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            env=environment(), cwd="/", timeout=_PROBE, check=False,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0
