"""The tree of errors. Each class carries the exit code of the command line; 1 is a bug.

0 done · 2 wrong command line · 10 bad settings · 11 unreadable input · 12 rejects above limit ·
13 a check failed, old snapshot kept · 14 already running · 15 a digest not sent to everybody · 16 no place elsewhere ·
17 Spark gave up.
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
    """What was named cannot be used: a path, a file that does not conform, or nothing is published yet."""

    exit_code = 11


class TooManyRejectsError(RadopsError):
    """More of a run's input was rejected than the limit allows: what could be kept was kept and published."""

    exit_code = 12


class CheckFailedError(RadopsError):
    """A check of the marts failed, a database is damaged or the disk is full: the old snapshot is kept."""

    exit_code = 13


class AlreadyRunningError(RadopsError):
    """Another writer holds the lock."""

    exit_code = 14


class NotSentError(RadopsError):
    """A digest could not be sent to everybody: its file was made, and the next start tries those again."""

    exit_code = 15


class StoreError(RadopsError):
    """A place elsewhere cannot be used: what is published here stays, and the next start tries again."""

    exit_code = 16


class ClusterError(RadopsError):
    """Spark cannot be reached or gave up a job; what is loaded or published is whole, and a later run does the rest."""

    exit_code = 17


#: Exit codes in words, for the README and its test.
EXIT_CODES: dict[int, str] = {
    0: "Done",
    1: "A bug in radops: it is told by its place, never by a value",
    **{
        kind.exit_code: (kind.__doc__ or "").split(";")[0].rstrip(".")
        for kind in (
            PeriodError, SettingsError, UnreadableInputError, TooManyRejectsError, CheckFailedError,
            AlreadyRunningError, NotSentError, StoreError, ClusterError,
        )
    },
}  # fmt: skip
