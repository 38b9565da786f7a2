"""The bench of questions as tables for a terminal; JSON holds more."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from tests.bench.pages import SHOWN, SPANS

PEERS = ("pandas", "sqlite", "postgresql")


def lines(found: dict[str, Any]) -> Iterator[str]:
    """What `bench_questions.measure` found, line by line."""
    snapshot = found["snapshot"]
    yield (f"{snapshot['n_exams']:,} exams of {snapshot['n_days']:,} days, {snapshot['mb']:,} MB; "
           f"{snapshot['threads']} threads")  # fmt: skip
    if not snapshot["is_current"]:
        yield "Published under other definitions: asked by its own table functions, which takes longer. Publish anew."
    yield from _pages(found["pages"])
    yield from _scopes(found["scopes"])
    yield from _questions(found["questions"])
    yield ""
    down = found["put_down"]
    yield f"Answers put down in {down['s']:,.1f} s ({down['cpu_s']:,.1f} of the processor), {down['mb']:,.1f} MB; then:"
    yield from _scopes(down["scopes"])


def _pages(pages: dict[str, Any]) -> Iterator[str]:
    yield ""
    yield "A page's view: ms by the clock (of the processor), statements; the first ever, then of 28 days, 90 days,"
    yield "all days; its metrics of 90 days as shown, one by one; at last again as kept, and drawn again"
    views = {key: view for key, view in pages.items() if key != "p95"}
    for name in dict.fromkeys(key.rpartition(" ")[0] for key in views):
        mine = {span: views[f"{name} {span}"] for span in SPANS if f"{name} {span}" in views}
        told = [f"{span} {view['first_ms']:7,.0f} ({view['first_cpu_ms']:7,.0f}) {view['n_statements']:2}"
                for span, view in mine.items()]  # fmt: skip
        ever = mine["28d"]
        if SHOWN in mine:
            shown = mine[SHOWN]
            told.append(f"{shown['n_metrics']:3} {shown['shown_ms']:7,.0f} ({shown['shown_cpu_ms']:7,.0f})")
        told.insert(0, f"{ever['unlearned_first_ms']:7,.0f} ({ever['unlearned_first_cpu_ms']:5,.0f}) "
                       f"{ever['unlearned_n_statements']:2}")  # fmt: skip
        again = (max(view[key] for view in mine.values()) for key in ("again_ms", "made_again_ms"))
        yield " ".join((f"{name:16s}", "  ".join(told).ljust(119), *(f"{ms:7.1f}" for ms in again)))
    yield _row("95 % below, ms", *(f"{name.removesuffix('_ms')} {ms:,.1f} " for name, ms in pages["p95"].items()))


def _scopes(scopes: dict[str, dict[str, float]]) -> Iterator[str]:
    yield ""
    yield "First views of all facilities and of each alone: how many, ms of half, of 95 %, the longest, that of all"
    for name, facts in scopes.items():
        times = (f"{facts[f'{key}_ms']:7,.0f}" for key in ("p50", "p95", "longest", "whole"))
        yield f"{name:24s} {facts['n']:3} {' '.join(times)}"


def _questions(questions: dict[str, Any]) -> Iterator[str]:
    loads = (f"{name} {questions[f'{name}_load_s']:.1f} s" for name in PEERS if f"{name}_load_s" in questions)
    yield ""
    yield f"Loading: {', '.join(loads)}. Missing: {questions['missing']}"
    yield "A question: ms by the clock, ours, by hand, as shown (ours by theirs, of the processor); others (by ours)"
    for name, facts in questions.items():
        if isinstance(facts, dict):
            yield from _question(name, facts)


def _question(name: str, facts: dict[str, Any]) -> Iterator[str]:
    engine = (f"{facts[f'{peer}_ms']:9,.1f} ({facts[f'ours_{peer}_ratio']:5.2f})" for peer in ("duckdb", "shown"))
    yield _row(name, f"{facts['ours_ms']:9,.1f}", *engine, *_others(facts))
    if "held" in facts:
        yield from _question("  of days that peers hold", facts["held"])


def _others(facts: dict[str, Any]) -> Iterable[str]:
    return (f"{peer} {facts[f'{peer}_ms']:9,.1f} ({facts[f'{peer}_ours_ratio']:5.1f})"
            for peer in PEERS if f"{peer}_ms" in facts)  # fmt: skip


def _row(name: str, *cells: str) -> str:
    return f"{name:41s} {' '.join(cells)}".rstrip()
