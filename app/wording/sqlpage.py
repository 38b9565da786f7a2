"""Texts of the page SQL; what begins with `sqlpage.js.` is said by its script."""

from __future__ import annotations

TEXTS: dict[str, str] = {
    "sqlpage.problem.seconds": "The statement took longer than {seconds} s and was ended. Ask for less: fewer days, "
    "fewer groups, or a LIMIT.",
    "sqlpage.problem.cancelled": "Cancelled.",
    "sqlpage.problem.memory": "The statement needs more memory than one may have (1 GB). Ask for less: fewer rows, "
    "columns or groups.",
    "sqlpage.problem.died": "The statement's process ended without an answer: it asked for more than the system gives "
    "it, usually memory.",
    "sqlpage.problem.too_large": "A single row of the result is larger than {megabytes} MB.",
}
