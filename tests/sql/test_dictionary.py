"""The dictionary in the checkout is what the headers say."""

from __future__ import annotations

from sql.catalog import Catalog
from sql.dictionary import DICTIONARY, grid, metric_grid, render


def test_dictionary_is_current() -> None:
    assert DICTIONARY.read_text("utf-8") == render(), "run: make docs"


def test_every_metric_table_and_column_is_in_it() -> None:
    text, catalog = render(), Catalog.load()
    sections = {part.partition("\n")[0]: part for part in text.split("\n### ")[1:]}
    assert set(sections) == set(catalog.metrics) | set(catalog.tables)
    for metric in catalog.metrics.values():
        for words in (metric.question, metric.includes, metric.excludes, metric.target, metric.reference):
            assert words.replace("|", r"\|") in sections[metric.id]
    for model in catalog.tables.values():
        for column in model.columns:
            assert f"| `{column.name}` | {column.type} |" in sections[model.name]


def test_grid_keeps_a_bar_inside_its_cell() -> None:
    assert grid(("a",), [("x|y",)]) == "| a |\n| --- |\n| x\\|y |\n"


def test_metric_grid_has_a_line_a_metric() -> None:
    assert metric_grid().count("\n") == len(Catalog.load().metrics) + 2
