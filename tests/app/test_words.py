"""Numbers in words, and the catalogue of texts."""

from __future__ import annotations

import ast
import re

import pytest

from app import words
from app.pages import QUESTIONS
from app.texts import TEXTS, TextError, text
from tests.conftest import REPO


def plain(shown: str) -> str:
    return shown.replace(words.THIN, " ")


@pytest.mark.parametrize(
    ("value", "shown"),
    [(0, "0 min"), (42.4, "42 min"), (89.6, "1 h 30"), (125, "2 h 05"), (2879, "47 h 59"), (2880, "2 d"),
     (3000, "2 d 2 h"), (-5, "−5 min"), (-0.2, "0 min")],
)  # fmt: skip
def test_minutes(value: float, shown: str) -> None:
    assert plain(words.minutes(value)) == shown


@pytest.mark.parametrize(
    ("value", "unit", "shown"),
    [(None, "min", "–"), (0.0814, "share", "8.1 %"), (1234, "exams", "1,234"), (1.234, "reads/h", "1.23 reads/h"),
     (0.5, "h", "30 min"), (2.5, "d", "2 d 12 h")],
)  # fmt: skip
def test_values_with_their_units(value: float | None, unit: str, shown: str) -> None:
    assert plain(words.value(value, unit)) == shown


def test_changes_have_a_sign() -> None:
    assert plain(words.delta(12, "min")) == "+12 min"
    assert plain(words.delta(-0.031, "share")) == "−3.1 pt"
    assert plain(words.delta(0.3, "min")) == plain(words.delta(-0.3, "min")) == "0 min"
    assert plain(words.delta(-0.0004, "share")) == "0.0 pt"
    assert words.delta(None, "min") == "–"


def test_what_rounds_to_nothing_has_no_sign() -> None:
    assert plain(words.value(-0.0004, "share")) == "0.0 %"
    assert (words.count(-0.2), words.plain(-0.001)) == ("0", "0.00")
    assert plain(words.value(-0.031, "share")) == "−3.1 %"


@pytest.mark.parametrize(("value", "shown"), [(0.0, "< 1 min"), (0.4, "< 1 min"), (0.6, "1 min"), (95.0, "1 h 35")])
def test_what_counts_down_is_never_none(value: float, shown: str) -> None:
    assert plain(words.short(value)) == shown


def test_a_missing_text_is_an_error() -> None:
    with pytest.raises(TextError):
        text("no.such.text")


def keys_used() -> set[str]:
    """Every literal first argument of `text` in the room."""
    found: set[str] = set()
    for path in (REPO / "app").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "text" and node.args:
                first = node.args[0]
                if isinstance(first, ast.Constant):
                    found.add(str(first.value))
    return found


def patterns_used() -> list[re.Pattern[str]]:
    """Every f-string, sum or choice with which a key is made, as a pattern."""
    found = []
    for path in (REPO / "app").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.JoinedStr):
                parts = [re.escape(str(p.value)) if isinstance(p, ast.Constant) else ".+" for p in node.values]
                found.append(re.compile("".join(parts) + "$"))
    return found


def strings_used() -> set[str]:
    return {
        node.value
        for path in (REPO / "app").rglob("*.py") if "wording" not in path.parts
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }  # fmt: skip


def test_every_key_that_is_used_exists() -> None:
    assert keys_used() - TEXTS.keys() == set()
    assert [q.id for q in QUESTIONS.values() if not (q.title and q.note)] == []


def test_every_text_is_used() -> None:
    literal, patterns = strings_used(), [p for p in patterns_used() if "\\." in p.pattern]
    prefixes = tuple(s for s in literal if s.endswith("."))
    unused = [key for key in TEXTS if key not in literal and not any(p.match(key) for p in patterns)
              and not key.startswith(prefixes)]  # fmt: skip
    assert unused == []
