"""Connected identifiers with guards: which mentions are one exam. Pure functions on columns, no database.

Every guard looks at the whole raw component (all mentions connected when guards are ignored), so the answer for
a component depends only on its set of mentions: not on the order of arrival, not on other components.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

#: An identifier mentioned with more studies than this is no identifier of one exam.
MAX_STUDIES = 25

Ints = npt.NDArray[np.int64]


def components(left: Ints, right: Ints, n: int) -> Ints:
    """Connected components of `n` vertices under edges left-right: the smallest vertex of each, per vertex.

    Labels fall to the neighbours' minimum and are shortened by pointer jumping until nothing moves.
    """
    label = np.arange(n, dtype=np.int64)
    while left.size:
        low = np.minimum(label[left], label[right])
        before = label.copy()
        np.minimum.at(label, label[left], low)
        np.minimum.at(label, label[right], low)
        while True:
            jumped = label[label]
            if np.array_equal(jumped, label):
                break
            label = jumped
        if np.array_equal(before, label):
            break
        alive = label[left] != label[right]
        left, right = left[alive], right[alive]
    return label


def bipartite(frame: pl.DataFrame, left: str, right: str) -> pl.DataFrame:
    """Distinct `left` values with `component` (int64): two are together when they share `right` values."""
    rows = frame.select(left, right).drop_nulls()
    lefts, of_left = _numbered(rows[left])
    rights, of_right = _numbered(rows[right])
    label = components(of_left, of_right + len(lefts), len(lefts) + len(rights))
    return pl.DataFrame({left: lefts, "component": label[: len(lefts)]})


def _numbered(column: pl.Series) -> tuple[npt.NDArray[Any], Ints]:
    """The distinct numbers of a column in order, and of each row which of them it has."""
    numbers = column.to_numpy()
    order = np.argsort(numbers)
    ordered = numbers[order]
    is_first = np.ones(len(ordered), np.bool_)
    np.not_equal(ordered[1:], ordered[:-1], out=is_first[1:])
    which = np.empty(len(ordered), np.int64)
    which[order] = np.cumsum(is_first) - 1
    return ordered[is_first], which


def _among(frame: pl.DataFrame, column: str, values: pl.DataFrame, *, keep: bool) -> pl.DataFrame:
    if values.is_empty():
        return frame.clear() if keep else frame
    return frame.join(values.select(column).unique(), on=column, how="semi" if keep else "anti")


def _many(frame: pl.DataFrame, by: list[str], counted: str, limit: int = 1) -> pl.DataFrame:
    """Groups `by` that have more than `limit` distinct `counted`."""
    distinct = frame.select(*by, counted).unique()
    return distinct.group_by(by).len("n").filter(pl.col("n") > limit)


def _split_by_person(links: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Identifiers that one authority's different patients share link within each patient only."""
    known = links.filter(pl.col("person").is_not_null())
    reused = _many(known, ["node", "authority"], "person").select("node").unique()
    if reused.is_empty():
        return links.with_columns(split=pl.lit(0, pl.UInt64)), reused
    plain = _among(links, "node", reused, keep=False).with_columns(split=pl.lit(0, pl.UInt64))
    split = _among(known, "node", reused, keep=True).with_columns(split=pl.col("person"))
    return pl.concat([plain, split]), reused


def _untangle(joined: pl.DataFrame, base: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """`group` of each mention; a component that chains several accessions falls apart into these.

    There a mention without accession follows the one accession that its identifiers were mentioned with, else none.
    """
    rows = joined.join(base, on="mention")
    accessions = rows.filter(pl.col("rank") == 0)
    tangled = _many(accessions, ["component"], "link").select("component")
    plain = _among(base, "component", tangled, keep=False).rename({"component": "group"})
    if tangled.is_empty():
        return plain, accessions.clear()
    rows = _among(rows, "component", tangled, keep=True)
    direct = rows.filter(pl.col("rank") == 0).select("mention", accession="link")
    claims = rows.filter(pl.col("rank") > 0).join(direct, on="mention").select("link", "accession").unique()
    led = _among(rows, "mention", direct, keep=False).join(claims, on="link").select("mention", "accession").unique()
    led = led.filter(pl.len().over("mention") == 1)
    offset = int(base["component"].max() or 0) + 1  # type: ignore[arg-type]
    apart = pl.concat([direct, led]).select("mention", group=pl.col("accession").cast(pl.Int64) + offset)
    return pl.concat([plain, apart]), _among(accessions, "component", tangled, keep=True)


def _join_by_study(groups: pl.DataFrame, studies: pl.DataFrame, values: pl.DataFrame) -> pl.DataFrame:
    """`exam` (int64) per group: groups of one study are one exam unless they have several accessions (a bridge).

    `groups`: mention, group. `studies`: group, study. `values`: group, value (of its accession), node.
    """
    joined = bipartite(studies, "group", "study")
    several = _many(values.join(joined, on="group"), ["component"], "value").select("component")
    bridged = _among(joined, "component", several, keep=True)
    lowest = joined.group_by("component").agg(exam=pl.col("group").min())
    merged = _among(joined, "component", several, keep=False).join(lowest, on="component").select("group", "exam")
    if bridged.is_empty():
        return merged
    edges = _among(studies, "group", bridged, keep=True)
    anchors = edges.join(values, on="group").select("study", "node", anchor="group")
    free = _among(edges, "group", values, keep=False).join(anchors, on="study")
    best = free.sort("node", "anchor").group_by("group").agg(
        pl.col("anchor").first(), n=pl.col("anchor").n_unique(), is_bare=pl.col("is_bare").first()
    )  # fmt: skip
    led = best.filter(pl.col("is_bare") | (pl.col("n") == 1)).select("group", exam="anchor")
    rest = _among(bridged, "group", led, keep=False).select("group", exam="group")
    return pl.concat([merged, led, rest])


def resolve(mentions: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Mentions to exams. Takes whole raw components.

    `mentions`: mention, one uint64 column a node kind (`n0`..`n7` by rank, NULL: not mentioned), `value` (accession
    without scope), `person`, `authority`. Returns (mention, component, rank, node, split), the last three being the
    exam's canonical member or NULL, and the flags (component, rank, node, flag).
    """
    ranks = sorted(int(name[1:]) for name in mentions.columns if name[0] == "n")
    study = ranks[-1]
    links = pl.concat(
        mentions.select("mention", "person", "authority", rank=pl.lit(rank, pl.UInt8), node=pl.col(f"n{rank}"))
        .filter(pl.col("node").is_not_null())
        for rank in ranks
    )  # fmt: skip
    raw = bipartite(links, "mention", "node")
    raw = raw.select("mention", component=pl.col("mention").min().over("component"))
    split, reused = _split_by_person(links)
    del links
    names = split.select("rank", "node", "split").unique().sort("rank", "node", "split").with_row_index("link")
    rows = split.join(names, on=["rank", "node", "split"]).select("mention", "rank", "node", "split", "link")
    of_study = rows.filter(pl.col("rank") == study).select("mention", study="link")
    hubs = _many(
        rows.filter(pl.col("rank") < study).join(of_study, on="mention"), ["link"], "study", MAX_STUDIES
    ).select("link")
    rows = _among(rows, "link", hubs, keep=False)
    of_accession = rows.filter(pl.col("rank") == 0).select("mention", accession="link")
    others = rows.filter(pl.col("rank").is_between(1, study - 1))
    ambiguous = _many(others.join(of_accession, on="mention"), ["link"], "accession").select("link")
    joined = _among(rows.filter(pl.col("rank") < study), "link", ambiguous, keep=False)
    groups, tangled = _untangle(joined, bipartite(joined, "mention", "link"))
    offset = int(groups["group"].max() or 0) + 1 if groups.height else 0  # type: ignore[arg-type]
    bare = _among(of_study, "mention", groups, keep=False).select(
        "mention", group=pl.col("study").cast(pl.Int64) + offset
    )
    grouped = pl.concat([groups.with_columns(is_bare=False), bare.with_columns(is_bare=True)])
    studies = grouped.join(of_study, on="mention").select("group", "study", "is_bare").unique()
    values = (
        rows.filter(pl.col("rank") == 0)
        .join(mentions.select("mention", "value"), on="mention")
        .join(groups, on="mention")
        .select("group", "node", value=pl.struct("value", "split"))
        .unique(["group", "value"])
    )
    exams = grouped.join(_join_by_study(grouped, studies, values), on="group", how="left").select(
        "mention", exam=pl.coalesce("exam", "group")
    )
    members = pl.concat([joined, rows.filter(pl.col("rank") == study)]).join(exams, on="mention")
    member = members.group_by("exam").agg(link=pl.col("link").min())
    canonical = exams.join(member, on="exam").join(names, on="link").select("mention", "rank", "node", "split")
    bridges = _many(studies.join(values.select("group", "value"), on="group"), ["study"], "value")
    marks = (
        names.join(reused, on="node", how="semi").with_columns(flag=pl.lit("reused")),
        names.join(hubs, on="link", how="semi").with_columns(flag=pl.lit("hub")),
        names.join(ambiguous, on="link", how="semi").with_columns(flag=pl.lit("ambiguous")),
        names.join(tangled, on="link", how="semi").with_columns(flag=pl.lit("tangled")),
        names.join(bridges, left_on="link", right_on="study", how="semi").with_columns(flag=pl.lit("bridge")),
    )
    flags = (
        pl.concat(marks)
        .join(split.select("mention", "rank", "node"), on=["rank", "node"])
        .join(raw, on="mention")
        .select("component", "rank", "node", "flag")
        .unique()
    )
    return raw.join(canonical, on="mention", how="left"), flags
