"""Marts of sums: a night adds what the touched exams are now and takes away what they were, and reads no other exams.

A tally is a model over `<mart>_change`, whose rows have the sign of what they do. Beside sums it may hold the latest or
least of something. What is taken away may have been that: the model tells it as `lost_<column>`, and the few keys where
nothing as far out has come instead are looked at again among all rows.
"""

from __future__ import annotations

import duckdb

from etl.build_models import BuildModel
from sql.catalog import Column

#: Scope of a mart of sums over `<mart>_change`: rows of the same keys are added up.
TALLY = "tally"
#: What the least and the latest of two are, and the comparison that says that one reaches as far as the other.
_EXTREMES = {"latest": ("max", ">="), "least": ("min", "<=")}


def change_view(con: duckdb.DuckDBPyConnection, mart: str) -> None:
    """Temp view `<mart>_change`: rows as they are now with `sign` 1, and as they were before the build with -1."""
    con.execute(f"""
        CREATE OR REPLACE TEMP VIEW {mart}_change AS
        SELECT *, 1 AS sign FROM {mart}_now UNION ALL SELECT *, -1 FROM {mart}_before""")


def same_keys(model: BuildModel, one: str, other: str) -> str:
    """SQL condition: two rows of a tally have the same keys, NULL being one of them."""
    return " AND ".join(f'{one}."{key}" IS NOT DISTINCT FROM {other}."{key}"' for key in model.keys)


def add_up(con: duckdb.DuckDBPyConnection, model: BuildModel, kept: dict[str, str]) -> None:
    """Add to `new_rows`, the changes of a tally, `old_rows`: what the mart holds under the same keys.

    `kept` are the columns of each mart that `<mart>_change` has.
    """
    keys = ", ".join(f'"{key}"' for key in model.keys)
    parts = [f'CAST(sum("{column.name}") AS {column.type}) AS "{column.name}"' for column in sums(model)]
    for name, kind in model.extremes.items():
        pick, reaches = _EXTREMES[kind]
        parts.append(f'{pick}("{name}") AS "{name}"')
        # Of no matter where a row that came reaches as far.
        lost = f'CASE WHEN "{name}" {reaches} "lost_{name}" THEN NULL ELSE "lost_{name}" END'
        parts.append(f'{pick}({lost}) AS "lost_{name}"')
    nothing = "".join(f', NULL AS "lost_{name}"' for name in model.extremes)
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE summed AS
        SELECT {keys}, {", ".join(parts)}
        FROM (FROM new_rows UNION ALL BY NAME (SELECT *{nothing} FROM old_rows)) GROUP BY ALL""")
    con.execute("CREATE OR REPLACE TEMP TABLE new_rows AS FROM summed")
    con.execute("DROP TABLE summed")
    if model.extremes:
        _look_again(con, model, kept)


def drop_helpers(con: duckdb.DuckDBPyConnection, model: BuildModel) -> None:
    """Leave in `new_rows` the mart's own columns, and no row under whose keys nothing is left to count.

    The first sum of a tally is the number of its rows.
    """
    con.execute(f'DELETE FROM new_rows WHERE "{sums(model)[0].name}" = 0')
    for name in model.extremes:
        con.execute(f'ALTER TABLE new_rows DROP COLUMN "lost_{name}"')


def sums(model: BuildModel) -> list[Column]:
    """The columns of a tally that are added up."""
    return [column for column in model.columns if column.name not in model.keys and column.name not in model.extremes]


def _look_again(con: duckdb.DuckDBPyConnection, model: BuildModel, kept: dict[str, str]) -> None:
    """Derive the extremes again where the one that was held is lost, from all rows that may have those keys."""
    lost = " OR ".join(f'"lost_{name}" {_EXTREMES[kind][1]} "{name}"' for name, kind in model.extremes.items())
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE lost_key AS
        SELECT * FROM new_rows WHERE "{sums(model)[0].name}" <> 0 AND ({lost})""")
    if con.execute("SELECT count(*) FROM lost_key").fetchall()[0][0]:
        _find_again(con, model, kept)


def _find_again(con: duckdb.DuckDBPyConnection, model: BuildModel, kept: dict[str, str]) -> None:
    mart, column, key = (*model.again, "", "")[:3]
    where = "TRUE"
    if column:
        days = con.execute(f'SELECT DISTINCT "{key}" FROM lost_key ORDER BY ALL').fetchall()
        # A day of a wall clock may begin a day before or after that of UTC.
        where = " OR ".join(f"\"{column}\" >= DATE '{day}' - 1 AND \"{column}\" < DATE '{day}' + 2" for (day,) in days)
    con.execute(f"""
        CREATE OR REPLACE TEMP VIEW {mart}_change AS SELECT {kept[mart]}, 1 AS sign FROM {mart} WHERE {where}""")
    found = f"SELECT b.* FROM ({model.body}) b SEMI JOIN lost_key k ON {same_keys(model, 'k', 'b')}"
    con.execute(f"CREATE OR REPLACE TEMP TABLE found_again AS {found}")
    change_view(con, mart)
    told = ", ".join(f'"{name}" = f."{name}"' for name in model.extremes)
    con.execute(f"UPDATE new_rows SET {told} FROM found_again f WHERE {same_keys(model, 'f', 'new_rows')}")
    con.execute("DROP TABLE found_again")
