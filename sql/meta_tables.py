"""What the tables say that describe a snapshot itself: table -> purpose and column -> note, for its comments."""

from __future__ import annotations

Described = dict[str, tuple[str, dict[str, str]]]
#: Tables of a snapshot that tell how its marts were built; nobody is offered them.
INTERNAL_TABLES: Described = {
    "meta_build": (
        "What the marts were built from. One row.",
        {
            "batch_id": "last batch of the intake in them",
            "epoch": "number of the full builds and rebuilds of the raw store",
            "signature": "hash over the models that made them",
            "data_through": "latest event that its message dates at most a day ahead of itself and of its loading, UTC",
        },
    ),
    "meta_place": (
        "Where the rows of exams lie that were written together. One row: mart, derivation of a part or a night.",
        {
            "mart": "table of exams",
            "number": "number of the derivation",
            "n_rows": "rows written",
            "since": "first place at which they may lie, NULL until the next build",
            "upto": "place after the last one, NULL until the next build",
        },
    ),
    "meta_moved": (
        "Exams that were given another patient: their other rows lie where they were. One row: derivation, one before.",
        {"number": "derivation of their rows with the patient", "written": "one of their others, NULL where unknown"},
    ),
    "meta_explained": (
        "Which definitions the macros, comments and dictionary are of. One row.",
        {"signature": "hash over the definitions of the metrics"},
    ),
}
META_TABLES: Described = {
    "meta_snapshot": (
        "This snapshot. One row.",
        {
            "snapshot_id": "sequence and digest",
            "seq": "number of the publish",
            "built_at": "when it was published, UTC",
            "data_through": "latest event that its message dates at most a day ahead of itself and of its loading, UTC",
            "digest": "order-free hash over all marts",
            "signature": "hash over the definitions of the metrics",
        },
    ),
    "meta_setting": (
        "The settings under which this snapshot was published, without places of the machine. One row: setting.",
        {
            "name": "environment variable",
            "value": "as it was",
            "usual": "where it is not set",
            "meaning": "what it does",
        },
    ),
    "meta_table": (
        "Size and digest of each mart. One row: table.",
        {
            "table_name": "table",
            "n_rows": "rows",
            "digest": "order-free hash over the rows",
        },
    ),
    "meta_metric": (
        "The metrics with their definitions, as in the headers of their files. One row: metric.",
        {
            "id": "name of the macro: FROM metrics.<id>()",
            "title": "short name",
            "question": "what a manager asks",
            "unit": "unit of value, lower and upper",
            "better": "lower, higher or neither",
            "kind": "how rows are folded: percentile, ratio, rate, sum, last, max or forecast",
            "statistic": "usual statistic",
            "clock_start": "where the interval begins",
            "clock_stop": "where it ends",
            "includes": "what counts",
            "excludes": "what does not",
            "nulls": "what becomes of missing values",
            "min_n": "below this n a value says little",
            "table": "table that it reads",
            "anchor": "wall clock that places a row in a period",
            "target": "target where one is customary",
            "goal": "target as a number in the unit",
            "floor": "share of values that must be known for the number to be relied on",
            "reference": "where the definition comes from",
            "version": "version of the definition",
            "since": "version of radops that brought it",
            "changed": "day from which the definition is as it is",
            "number": "number of its file",
            "numerator": "what is divided, in words",
            "denominator": "by what, in words",
            "body": "SQL of its rows; the macro folds them",
            "choices": "values of statistic, with the columns that each divides",
            "groups": "groupings allowed",
            "filters": "filters that apply",
            "columns": "columns of its rows",
        },
    ),
    "meta_definition": (
        "The versions of the metrics' definitions. One row: version of a metric.",
        {
            "id": "metric",
            "version": "version of the definition, from 1",
            "changed": "first day",
            "digest": "hash over what it computed",
            "what": "what changed",
        },
    ),
    "meta_column": (
        "The columns of the marts. One row: column of a table.",
        {
            "table_name": "table",
            "column_number": "position from 1",
            "column_name": "column",
            "type": "SQL type",
            "unit": "unit, - where there is none",
            "note": "meaning",
        },
    ),
}
