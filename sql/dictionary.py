"""The dictionary: every metric, table and column in words, as Markdown, from the headers of the SQL files.

`python -m sql.dictionary` writes `sql/dictionary.md`; a test fails where the file is not what the headers say.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from sql.catalog import Catalog, Metric, Model
from sql.shape import PERIODS, SHAPE

DICTIONARY = Path(__file__).with_name("dictionary.md")
_BETTER = {"lower": "lower is better", "higher": "higher is better", "neither": "neither way is better"}
_HEAD = """# Dictionary

Made by `make docs` from the headers in `sql/`; edit those. Snapshots carry the same words as comments on tables and
columns and in `meta_metric` and `meta_column`.
"""
_PERIODS = ", ".join(f"`{name}`" for name in ("all", *PERIODS))
_METRICS = f"""## Metrics

`FROM metrics.<id>(...)` gives {", ".join(f"`{name}`" for name in SHAPE)}.

Named parameters, all optional: `groups` (a list), `since` and `until` (dates, half-open), `period` ({_PERIODS}),
`statistic`, and a list for each filter. `lower` and `upper` bound the 95 % interval where one is defined.
"""
_TABLES = """## Tables

`_at` is a UTC instant, `_local` a wall clock of the facility, `_min` minutes, `is_` a boolean, `n_` a count, `_key` a
key made by radops.
"""


def grid(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |\n" for line in lines)


def metric_grid() -> str:
    """One line a metric: id, question, unit and statistic, what is better."""
    return grid(
        ("Metric", "Answers", "Unit", "Statistic", "Better"),
        [(f"`{m.id}`", m.question, m.unit, _statistic(m), m.better) for m in Catalog.load().metrics.values()],
    )


def render() -> str:
    """The whole dictionary."""
    catalog = Catalog.load()
    return "\n".join(
        [
            _HEAD, _METRICS, *map(_metric, catalog.metrics.values()), _TABLES, *map(_table, catalog.tables.values()),
        ]
    )  # fmt: skip


def _statistic(metric: Metric) -> str:
    others = [name for name in metric.statistics if name != metric.statistic]
    return metric.statistic + (f" (also {', '.join(others)})" if others else "")


def _metric(metric: Metric) -> str:
    facts = {
        "Unit": f"{metric.unit}; {_BETTER[metric.better]}",
        "Statistic": f"{metric.kind}: {_statistic(metric)}",
        "Numerator": metric.numerator,
        "Denominator": metric.denominator,
        "Clock": "" if metric.clock_start == "none" else f"{metric.clock_start} to {metric.clock_stop}",
        "Dated by": f"{metric.anchor}, of `{metric.table}`",
        "Includes": metric.includes,
        "Excludes": metric.excludes,
        "Missing": metric.nulls,
        "Too few": f"n below {metric.min_n}"
        + (f", or under {metric.floor:.0%} of values known" if metric.floor else ""),
        "Target": metric.target + (f" ({metric.goal:g} {metric.unit})" if metric.goal is not None else ""),
        "Reference": metric.reference,
        "Groups": ", ".join(metric.groups),
        "Filters": ", ".join(metric.filters),
        "Version": f"{metric.version} of {metric.changed}; the metric is there since {metric.since}",
        "Changed": "; ".join(f"{past.version} on {past.changed}: {past.what}" for past in metric.history[1:]),
    }
    rows = [(name, words) for name, words in facts.items() if words]
    return f"### {metric.id}\n\n**{metric.title}.** {metric.question}\n\n{grid(('', ''), rows)}"


def _table(model: Model) -> str:
    columns = grid(
        ("Column", "Type", "Unit", "Note"),
        [(f"`{c.name}`", c.type, "" if c.unit == "-" else c.unit, c.note) for c in model.columns],
    )
    return f"### {model.name}\n\n{model.purpose} One row: {model.grain}. Key: {model.key}.\n\n{columns}"


if __name__ == "__main__":
    DICTIONARY.write_text(render(), "utf-8")
