"""What cannot be cut out of the whole snapshot, since it is made of all facilities: derived from the scope's own rows.

The models are those of a build (`sql/marts`), over the rows of the scope alone: stretches of reading, the usual minutes
of procedures and the forecast of a scope are those of a network that has no other facilities.
"""

from __future__ import annotations

from contextlib import closing

import duckdb

from etl.build_models import BuildModel, read_build_models
from etl.build_reads import derive_reads
from etl.forecast import load_forecast
from sql import scoping
from sql.macros import MACROS

#: Macros that these models and the forecast call.
_CALLED = ("local_at", "minutes_between")
#: What the models read of a build. A report after a report tells no reading time here: in between its reader may have
#: read elsewhere. So only reads teach whose begin is told.
_READS = """
    CREATE TEMP VIEW fct_read AS
    SELECT t.* REPLACE (t.is_alone AND t.read_started_at IS NOT NULL AS is_alone) FROM whole.fct_read t WHERE {own};
    CREATE TEMP TABLE touched_radiologist AS
    SELECT DISTINCT radiologist, TIMESTAMP '0001-01-01' AS since_at FROM fct_read"""
_SITE = """
    CREATE TEMP TABLE clock AS SELECT data_through, CAST(NULL AS TIMESTAMP) AS told_through FROM meta_build;
    CREATE TEMP TABLE site_facility AS SELECT facility, zone FROM dim_facility;
    CREATE TEMP TABLE site_zone AS SELECT min(zone) AS default_zone FROM dim_facility;
    CREATE TEMP TABLE site_calendar AS SELECT facility, day AS "date", kind FROM dim_special_day"""


def derive(con: duckdb.DuckDBPyConnection, facilities: tuple[str, ...], *, has_people: bool) -> None:
    """Fill the tables of `scoping.DERIVED` in a scope's file, which has all others; `whole` is the whole snapshot."""
    models = {model.name: model for model in read_build_models("marts")}
    with closing(con.cursor()) as apart:  # its temporary tables have the names of a build's
        apart.execute("SET TimeZone = 'UTC'")
        for macro in MACROS:
            if macro.name in _CALLED:
                apart.execute(macro.create_duckdb())
        apart.execute("CREATE TEMP TABLE scope (facility VARCHAR)")
        apart.executemany("INSERT INTO scope VALUES (?)", [[facility] for facility in facilities])
        apart.execute(_READS.format(own=scoping.OWN.where))
        apart.execute(_SITE)
        derive_reads(apart, anew=True)
        load_forecast(apart)
        for table in scoping.DERIVED:
            apart.execute(_filled(models[table], has_people))


def _filled(model: BuildModel, has_people: bool) -> str:
    """The statement that fills a table by its model, in the order of the mart."""
    names = [column.name for column in model.columns]
    told = [f"CAST(NULL AS VARCHAR) AS {n}" if n in scoping.PEOPLE and not has_people else f"m.{n}" for n in names]
    return (
        f"INSERT INTO {model.name} ({', '.join(names)}) SELECT {', '.join(told)} FROM ({model.body}) m"
        f" ORDER BY {model.order('m')}"
    )
