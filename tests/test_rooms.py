"""The house keeps its shape: rooms, imports, sizes and the order of SQL files. Each rule has a planted breach."""

from __future__ import annotations

import ast
import re
import statistics
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlglot
from sqlglot import exp

from tests.conftest import LONG, REPO

TOP_LEVEL = {
    "pyproject.toml", "README.md", "app", "etl", "sql", "tests", "sample_data",
    "Makefile", "LICENSE", "CHANGELOG.md", "requirements.lock", "setup.py",
}  # fmt: skip
ROOMS = ("app", "etl", "sql", "sample_data")
#: Rooms and libraries that a room must not import.
FORBIDDEN: dict[str, tuple[str, ...]] = {
    "sql": ("etl", "app", "sample_data", "simpy", "dash", "dash_mantine_components", "pydicom", "hl7apy",
            "pynetdicom"),
    "etl": ("app", "sample_data", "pyspark"),
    "app": ("etl", "sample_data", "duckdb"),
    "sample_data": ("app", "etl", "sql"),
}  # fmt: skip
#: Verbs that start another room import it when called, inside a function.
LATE = {
    "etl/commands/serve.py": {"app"},
    "etl/commands/simulate.py": {"sample_data"},
    "etl/commands/digest.py": {"app"},
    "etl/commands/demo.py": {"sample_data", "app"},
}
#: A part of a room that may import a library which the rest of it must not.
PARTS = {"sql/planning/": {"simpy"}, "etl/spark/": {"pyspark"}}
PYTHON_LINES, SQL_LINES, C_LINES = 300, 120, 500


#: What a compiled twin may include beside its own headers: Python's, C's, and those of the system's calls.
C_HEADERS = {"Python.h", "datetime.h", "stdint.h", "string.h", "fcntl.h", "unistd.h", "sys/stat.h", "sys/time.h"}


def tracked(pattern: str) -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", pattern],
        cwd=REPO, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return [REPO / line for line in listed.stdout.splitlines() if (REPO / line).is_file()]


def imports(source: str) -> Iterator[tuple[str, bool]]:
    """(top-level module, is it imported at import time) for each import statement of a file."""
    tree = ast.parse(source)
    inner = {
        id(n) for f in ast.walk(tree) if isinstance(f, ast.FunctionDef | ast.AsyncFunctionDef) for n in ast.walk(f)
    }
    for node in ast.walk(tree):
        names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom):
            names = [node.module or ""]
        for name in names:
            yield name.partition(".")[0], id(node) not in inner


def breaches(room: str, where: str, source: str) -> list[str]:
    allowed = LATE.get(where, set())
    own = {module for part, modules in PARTS.items() if where.startswith(part) for module in modules}
    return [
        f"{where} imports {module}"
        for module, is_early in imports(source)
        if module in FORBIDDEN[room] and module not in own and (is_early or module not in allowed)
    ]


def table_names(sql: str) -> set[str]:
    """Tables that a statement reads, without its own common table expressions."""
    tree = sqlglot.parse_one(sql, read="duckdb")
    ctes = {cte.alias_or_name.lower() for cte in tree.find_all(exp.CTE)}
    return {table.name.lower() for table in tree.find_all(exp.Table) if table.name} - ctes


def numbered() -> dict[str, tuple[int, Path]]:
    found = {}
    for path in tracked("sql/**/*.sql") or tracked("sql/*.sql"):
        number, _, name = path.stem.partition("_")
        if number.isdigit():
            found[name.lower()] = (int(number), path)
    return found


def test_top_level_is_as_agreed() -> None:
    names = {path.relative_to(REPO).parts[0] for path in tracked("*")}
    assert {n for n in names if not n.startswith(".")} == TOP_LEVEL


@pytest.mark.parametrize("room", ROOMS)
def test_rooms_import_only_what_they_may(room: str) -> None:
    found = [
        breach
        for path in tracked(f"{room}/*.py")
        for breach in breaches(room, str(path.relative_to(REPO)), path.read_text("utf-8"))
    ]
    assert found == []


def test_import_rule_sees_a_breach() -> None:
    assert breaches("sql", "sql/x.py", "import simpy") == ["sql/x.py imports simpy"]
    assert breaches("sql", "sql/planning/x.py", "import simpy\nimport etl") == ["sql/planning/x.py imports etl"]
    assert breaches("app", "app/x.py", "import duckdb") == ["app/x.py imports duckdb"]
    assert breaches("etl", "etl/load.py", "def f():\n    from app import server") == ["etl/load.py imports app"]
    assert breaches("etl", "etl/commands/serve.py", "def f():\n    from app import server") == []
    assert breaches("etl", "etl/commands/serve.py", "from app import server") == ["etl/commands/serve.py imports app"]


def test_python_files_stay_small() -> None:
    sizes = {p.relative_to(REPO): len(p.read_text("utf-8").splitlines()) for r in ROOMS for p in tracked(f"{r}/*.py")}
    assert {str(path): size for path, size in sizes.items() if size > PYTHON_LINES} == {}
    assert statistics.median(sizes.values()) <= 120


def test_sql_files_stay_small() -> None:
    sizes = {p.relative_to(REPO): len(p.read_text("utf-8").splitlines()) for p in tracked("sql/*.sql")}
    assert {str(path): size for path, size in sizes.items() if size > SQL_LINES} == {}


def c_breaches(files: dict[str, str]) -> list[str]:
    """C files that are too long, or no twin: outside `etl`, not built by setup.py, or including what Python lacks."""
    built = files["setup.py"]
    found = []
    for where, text in files.items():
        name = Path(where).name
        if not where.endswith((".c", ".h")):
            continue
        named = re.findall(r"^#include [<\"](.+)[>\"]", text, re.MULTILINE)
        if not (where.startswith("etl/") and name.startswith("_")) or name not in built:
            found.append(f"{where} is not built")
        found += [f"{where} includes {name}" for name in named if name not in C_HEADERS and not name.startswith("_")]
        if len(text.splitlines()) > C_LINES:
            found.append(f"{where} is too long")
    return found


def test_c_files_are_twins() -> None:
    """C stands beside the Python that says what is right, and needs nothing but Python's own headers."""
    paths = [*tracked("*.c"), *tracked("*.h"), REPO / "setup.py"]
    assert len(paths) > 1
    assert c_breaches({path.relative_to(REPO).as_posix(): path.read_text("utf-8") for path in paths}) == []


def test_c_rule_sees_a_breach() -> None:
    setup = {"setup.py": "_x.c"}
    assert c_breaches({**setup, "etl/sources/_x.c": "#include <Python.h>"}) == []
    assert c_breaches({**setup, "app/_x.c": ""}) == ["app/_x.c is not built"]
    assert c_breaches({"setup.py": "x.c", "etl/x.c": ""}) == ["etl/x.c is not built"]
    assert c_breaches({**setup, "etl/sources/_y.c": ""}) == ["etl/sources/_y.c is not built"]
    assert c_breaches({**setup, "etl/sources/_x.c": "#include <sys/socket.h>"}) == [
        "etl/sources/_x.c includes sys/socket.h"
    ]
    assert c_breaches({**setup, "etl/sources/_x.c": "\n" * 501}) == ["etl/sources/_x.c is too long"]


def test_sql_reads_only_lower_numbers() -> None:
    files = numbered()
    assert len(files) > 40
    wrong = [
        f"{path.name} reads {name} ({files[name][0]})"
        for own, (number, path) in files.items()
        for name in table_names(_as_statement(path.read_text("utf-8")))
        if name in files and name != own and files[name][0] >= number
    ]
    assert wrong == []


def _as_statement(text: str) -> str:
    body = "\n".join(line for line in text.splitlines() if not line.startswith("--"))
    return body.strip().rstrip(";")


def test_table_names_are_read_from_the_syntax_tree() -> None:
    assert table_names("with a as (select * from b) select * from a join c using (x)") == {"b", "c"}


@pytest.mark.parametrize("path", [REPO / "requirements.lock", *sorted((REPO / "tests").glob("*.lock"))])
def test_lock_has_hashes_and_no_addresses(path: Path) -> None:
    lock = path.read_text("utf-8")
    assert "://" not in lock
    pins = [line for line in lock.splitlines() if "==" in line and not line.lstrip().startswith("#")]
    assert pins
    assert all(line.endswith("\\") for line in pins)


@pytest.mark.parametrize("path", sorted((REPO / "tests").glob("*.lock")))
def test_locks_of_tests_agree_with_the_lock(path: Path) -> None:
    """What both pin is the same version, or installing one would undo the other."""
    pins = [
        dict(re.findall(r"^([\w.-]+)==(\S+)", p.read_text("utf-8"), re.M)) for p in (REPO / "requirements.lock", path)
    ]
    both = pins[0].keys() & pins[1].keys()
    assert both or path.name == "spark.lock", "pyspark and py4j stand alone"
    assert {name: pins[1][name] for name in both} == {name: pins[0][name] for name in both}


def test_nothing_ignored_without_a_reason() -> None:
    """Every `noqa` and `type: ignore` names its rule."""
    bare = [
        f"{path.relative_to(REPO)}:{number}"
        for path in tracked("*.py")
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1)
        if line.rstrip().endswith(("# no" + "qa", "# type: " + "ignore"))
    ]
    assert bare == []


def test_one_browser_a_process() -> None:
    """playwright cannot run twice in a thread: tests take the fixture `browser`."""
    starts = [path.name for path in tracked("tests/*.py") if "with sync_" + "playwright()" in path.read_text("utf-8")]
    assert sorted(starts) == ["bench_serve.py", "conftest.py", "contact_sheet.py"]


def test_files_that_take_long_exist() -> None:
    assert [name for name in LONG if not (REPO / "tests" / name).is_file()] == []
