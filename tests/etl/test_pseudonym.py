"""The same function in Python, in SQL and in the standard library; a key that only its owner reads."""

from __future__ import annotations

import hmac
from pathlib import Path

import duckdb
import pytest

from etl.pseudonym import BadKey, keyed, keyed_macro, load_key

KEY = bytes(range(32))


@pytest.mark.parametrize("value", ["4711", "", "Ünï^Cødé", "a\x1fb", "'; DROP"])
@pytest.mark.parametrize("key", [KEY, b"x" * 64, KEY[:16]])
def test_python_sql_and_hmac_agree(value: str, key: bytes) -> None:
    con = duckdb.connect()
    con.execute(keyed_macro(key))
    row = con.execute("SELECT keyed('exam', $v)", {"v": value}).fetchone()
    assert row == (keyed(key, "exam", value),)
    assert keyed(key, "exam", value) == hmac.new(key, b"exam\x1f" + value.encode(), "sha256").hexdigest()[:24]


def test_null_stays_null_and_kinds_differ() -> None:
    con = duckdb.connect()
    con.execute(keyed_macro(KEY))
    assert con.execute("SELECT keyed('exam', NULL)").fetchone() == (None,)
    assert keyed(KEY, "exam", "1") != keyed(KEY, "patient", "1") != keyed(bytes(32), "patient", "1")


def test_key_is_created_private_and_kept(tmp_path: Path) -> None:
    path = tmp_path / "key"
    first = load_key(path)
    assert len(first) == 32
    assert path.stat().st_mode & 0o777 == 0o600
    assert load_key(path) == first


@pytest.mark.parametrize(("content", "mode", "message"), [
    ("11" * 32, 0o640, "chmod 600"), ("nonsense", 0o600, "hex digits"), ("11", 0o600, "shorter"),
])  # fmt: skip
def test_unusable_key_is_refused_without_showing_it(tmp_path: Path, content: str, mode: int, message: str) -> None:
    path = tmp_path / "key"
    path.write_text(content, "ascii")
    path.chmod(mode)
    with pytest.raises(BadKey, match=message) as caught:
        load_key(path)
    assert content not in str(caught.value)
