"""What goes wrong outside radops, in words: the engine's and the system's errors as errors that a user can act on.

The rules are a table over the type and the text of an exception. Anything that no rule knows is a bug, and is told by
its type and place only, because the text of an exception may quote a value.
"""

from __future__ import annotations

import errno
import re
import traceback
from dataclasses import dataclass

from etl.errors import AlreadyRunningError, CheckFailedError, RadopsError, SettingsError, UnreadableInputError

NO_SPACE = "no space left on the disk: free some and run again, nothing is lost and the old snapshot stays"


@dataclass(frozen=True, slots=True)
class _Rule:
    """Exceptions whose class (or a base) has this name and whose text matches -> error; groups fill its message."""

    type_name: str
    text: re.Pattern[str]
    kind: type[RadopsError]
    message: str


def _rule(type_name: str, text: str, kind: type[RadopsError], message: str) -> _Rule:
    return _Rule(type_name, re.compile(text, re.DOTALL), kind, message)


RULES: tuple[_Rule, ...] = (
    _rule("Error", r'Could not set lock on file "(?P<file>[^"]+)".*\(PID (?P<process>\d+)\)', AlreadyRunningError,
          "{file} is open in process {process}: close it there; readers open the published snapshots instead"),
    _rule("Error", r"No space left on device|Disk quota exceeded", CheckFailedError, NO_SPACE),
    _rule("Error", r'The file "(?P<file>[^"]+)" exists, but it is not a valid DuckDB database file', CheckFailedError,
          "{file} is damaged: run `radops rebuild` for marts.duckdb, restore a backup of intake.duckdb"),
    _rule("Error", r"[Cc]orrupt|checksum|replaying WAL", CheckFailedError,
          "a database of this home is damaged: run `radops rebuild`; if it stays, restore a backup of intake.duckdb"),
    _rule("SiteError", r"(?P<text>.*)", SettingsError, "{text}"),
    _rule("SnapshotError", r"(?P<text>.*)", UnreadableInputError, "{text}"),
    _rule("BadKey", r"(?P<text>.*)", SettingsError, "{text}"),
    _rule("PermissionError", r".*", SettingsError, "{name}: no permission"),
)  # fmt: skip


def explain(error: BaseException) -> RadopsError | None:
    """`error` as one that a user can act on; None where it is a bug."""
    if isinstance(error, RadopsError):
        return error
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return CheckFailedError(NO_SPACE)
    names = {kind.__name__ for kind in type(error).__mro__}
    for rule in RULES:
        match = rule.text.search(str(error)) if rule.type_name in names else None
        if match:
            groups = {"name": getattr(error, "filename", None) or "a file", **match.groupdict()}
            return rule.kind(rule.message.format(**groups))
    return None


def place(error: BaseException) -> str:
    """Type of `error` and where it arose in radops, without its text: `ValueError at etl/load.py:120`."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [f for f in frames if re.search(r"\b(etl|sql|app|sample_data)[\\/][\w\\/]+\.py$", f.filename)]
    where = "; ".join(f"{'/'.join(f.filename.split('/')[-2:])}:{f.lineno}" for f in reversed(own or frames))
    return f"{type(error).__name__} at {where or 'start'}"
