"""What connections with the engine are told: those that run statements of ours, and those of readers."""

from __future__ import annotations

import duckdb

#: DuckDB 2.0.1 takes the bounds of a sum over an outer join from both sides: where one turns out to hold nothing
#: (a filter that its statistics rule out), the sum is taken for 0. A filter on it then drops rows, a sort packs it into
#: a byte (156 came back as -100), a group over it fails. Without statistics nothing is concluded from them; blocks are
#: skipped by them all the same. A test shows the fault, so that it is seen when a version has none.
SOUND = "SET GLOBAL disabled_optimizers = 'statistics_propagation'"

#: What a reader may not do, whatever it asks.
SETTINGS: dict[str, str | bool | int | float | list[str]] = {
    "enable_external_access": False,
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
    "allow_community_extensions": False,
}
#: Set once the engine's extensions are there; the last one forbids any other.
LATE_SETTINGS = (SOUND, "SET GLOBAL TimeZone = 'UTC'", "SET GLOBAL lock_configuration = true")


def memory(con: duckdb.DuckDBPyConnection, share: float) -> str:
    """The statement that gives an engine a share of the memory that it has now."""
    (limit,) = con.execute("SELECT parse_formatted_bytes(current_setting('memory_limit'))").fetchall()[0]
    return f"SET GLOBAL memory_limit = '{int(limit * share)} bytes'"
