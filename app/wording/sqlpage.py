"""Texts of the page SQL; what begins with `sqlpage.js.` is said by its script."""

from __future__ import annotations

_SCRIPT = {
    "editor": "Statement", "placeholder": "SELECT facility, count(*) AS n FROM fct_exam GROUP BY ALL",
    "proposals": "Proposals", "run": "Run", "cancel": "Cancel",
    "keys": "Ctrl+Enter runs, Ctrl+Space proposes, Esc cancels",
    "save": "Save…", "save.ok": "Save in this browser", "name": "Name of the query", "share": "Copy link",
    "shared": "The link is copied. Whoever may open this page can run it.",
    "shared.not": "The browser did not let the link be copied: take it from the address bar.",
    "running": "Running.", "cancelling": "Cancelling.", "seconds": "{seconds} s",
    "told": "{n} rows in {seconds} s.", "rows": "{n} rows", "before": "{n} rows of the statement before",
    "took": "in {seconds} s · snapshot", "snapshot": "Snapshot that these rows come from",
    "where": "Line {line}, column {column}: go there",
    "busy": "The server runs as many statements as it may. Try again in a few seconds.",
    "failed": "The server could not answer; its log says where it failed.",
    "unreachable": "The server did not answer.",
    "cut.rows": "First {n} rows of more. Files hold the same rows; the snapshot's own file has no such bound.",
    "cut.bytes": "First {n} rows of more: a result is 8 MB at most.",
    "stale": "A newer snapshot was published since.", "again": "Run again",
    "grid": "Rows of the result", "none": "The statement gives no rows.", "result": "Result",
    "pages": "Pages of the result",
    "previous": "Previous", "next": "Next", "page": "{first} to {last} of {n}",
    "csv": "CSV", "parquet": "Parquet", "file": "Making the file.", "saved.file": "{name} is downloaded.",
    "plot": "Plot", "plot.label": "Plot of the result", "kind": "Kind", "x": "Across", "y": "Up", "colour": "Colour",
    "line": "Line", "bar": "Bars", "points": "Points", "no.colour": "none",
    "drawn": "n = {n} of {all} rows.",
    "drawn.cut": "n = {n} of the first {all} rows of more.",
    "colours": "The first {n} of {all} colours.",
    "empty": "Nothing was run yet",
    "empty.hint": "Write a statement and press Ctrl+Enter, or take one of the worked queries.",
    "side": "Schema and queries", "tab.schema": "Schema", "tab.queries": "Queries",
    "filter": "Find a table, column or metric", "filter.none": "Nothing of that name.",
    "tables": "Tables {n}", "macros": "Metrics as functions {n}", "parts": "Columns or parameters of {name}",
    "table": "table", "function": "function", "parameter": "parameter",
    "saved": "Saved in this browser", "saved.none": "None yet.",
    "saved.done": "Saved as {name}.",
    "worked": "Worked queries",
    "drop": "Remove {name}", "in": "Import .sql", "out": "Export .sql", "in.done": "{n} queries imported.",
    "no.storage": "This browser keeps nothing: export the queries instead.",
}  # fmt: skip

TEXTS: dict[str, str] = {
    "sqlpage.title": "SQL",
    "sqlpage.lead": "Ask the snapshot yourself: one statement that reads, {seconds} s, {rows} rows or {megabytes} MB "
    "at most.",
    "sqlpage.row": "One row: {row}.",
    "sqlpage.forbidden": "Statements of one's own see all facilities and single readers, so this page is for those who "
    "may see both. Your account may not; the other pages show what it may.",
    "sqlpage.problem.seconds": "The statement took longer than {seconds} s and was ended. Ask for less: fewer days, "
    "fewer groups, or a LIMIT.",
    "sqlpage.problem.cancelled": "Cancelled.",
    "sqlpage.problem.memory": "The statement needs more memory than one may have (1 GB). Ask for less: fewer rows, "
    "columns or groups.",
    "sqlpage.problem.died": "The statement's process ended without an answer: it asked for more than the system gives "
    "it, usually memory.",
    "sqlpage.problem.too_large": "A single row of the result is larger than {megabytes} MB.",
    **{f"sqlpage.js.{key}": said for key, said in _SCRIPT.items()},
}
