"""The tree of errors. Each class carries the exit code of the command line; 1 is a bug.

0 done · 2 wrong command line · 10 bad settings · 11 unreadable input · 12 rejects above limit ·
13 a check failed, old snapshot kept · 14 already running.
"""

from __future__ import annotations


class RadopsError(Exception):
    """Anything a user can act on. The message says what to do and holds no patient value."""

    exit_code = 1


class PeriodError(RadopsError):
    """The command line is wrong: an unknown verb, option or value; Typer's own errors have this code too."""

    exit_code = 2


class SettingsError(RadopsError):
    """A setting, the site folder or a file's permissions cannot be used."""

    exit_code = 10


class UnreadableInputError(RadopsError):
    """A path that was named cannot be read."""

    exit_code = 11


class TooManyRejectsError(RadopsError):
    """More of a run's input was rejected than the limit allows; what could be kept was kept."""

    exit_code = 12


class CheckFailedError(RadopsError):
    """The marts break one of their own rules; nothing was published."""

    exit_code = 13


class AlreadyRunningError(RadopsError):
    """Another writer holds the lock."""

    exit_code = 14


#: Exit codes in words, for the README and its test.
EXIT_CODES: dict[int, str] = {
    0: "done",
    1: "a bug in radops",
    **{
        kind.exit_code: (kind.__doc__ or "").split(";")[0].rstrip(".")
        for kind in (
            PeriodError, SettingsError, UnreadableInputError, TooManyRejectsError, CheckFailedError,
            AlreadyRunningError,
        )
    },
}  # fmt: skip
