"""The oracle shares nothing with the product: no import of its rooms, no SQL, and few enough lines to be read whole."""

from __future__ import annotations

import ast
import re
import sys
from pathlib import Path

ORACLE = ("__init__.py", "er7.py", "clock.py", "facts.py", "exams.py", "metrics.py")
FOLDER = Path(__file__).parent
MAX_LINES = 600
#: Calls that would bring in code or read a file, be it a table of the product.
FORBIDDEN = ("__import__", "import_module", "open", "read_text", "read_bytes", "exec", "eval")
SQL = re.compile(r"\b(select|insert into|update|delete from|create table)\b.*\b(from|values|set|as)\b", re.I | re.S)


def foreign(source: str) -> list[str]:
    """Imports that are neither the standard library nor the oracle itself, and strings that look like SQL."""
    found = []
    for node in ast.walk(ast.parse(source)):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom):
            names = [f"{'.' * node.level}{node.module}"]
        own = {f"tests.oracle.{name.removesuffix('.py')}" for name in ORACLE}
        found += [n for n in names if n not in own and n.partition(".")[0] not in sys.stdlib_module_names]
        call = ast.unparse(node.func) if isinstance(node, ast.Call) else ""
        if call.endswith(FORBIDDEN) and not call.startswith("files('tzdata.zoneinfo')"):
            found.append(call)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and SQL.search(node.value):
            found.append("SQL")
    return found


def test_the_oracle_stands_alone() -> None:
    texts = {name: (FOLDER / name).read_text("utf-8") for name in ORACLE}
    assert {name: foreign(text) for name, text in texts.items() if foreign(text)} == {}
    assert sum(bool(line.strip()) for text in texts.values() for line in text.splitlines()) < MAX_LINES


def test_the_rule_sees_breaches() -> None:
    assert foreign("import duckdb") == ["duckdb"]
    assert foreign("from etl.timestamps import parse_dtm") == ["etl.timestamps"]
    assert foreign("from tests.oracle.product import SITE") == ["tests.oracle.product"]
    assert foreign("import importlib\nimportlib.import_module('etl')") == ["importlib.import_module"]
    assert foreign("from pathlib import Path\nPath('etl/reference/milestones.csv').read_text()") == [
        "Path('etl/reference/milestones.csv').read_text"
    ]
    assert foreign("x = 'SELECT a FROM b'") == ["SQL"]
    assert foreign("import json\nfrom tests.oracle.clock import stamp") == []
