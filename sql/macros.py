"""What the two engines write differently, as one table: each macro of the models in DuckDB's and in Spark's words.

The models call these by name and are otherwise plain SQL, so a model means the same on both engines.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Macro:
    """A scalar function of the models. `arguments` are (name, Spark type); bodies are expressions over the names."""

    name: str
    arguments: tuple[tuple[str, str], ...]
    returns: str
    duckdb: str
    spark: str

    def create_duckdb(self) -> str:
        names = ", ".join(name for name, _ in self.arguments)
        return f"CREATE OR REPLACE TEMP MACRO {self.name}({names}) AS {self.duckdb}"


_BANDS = "".join(f" WHEN age < {limit} THEN '{band}'" for limit, band in ((18, "0-17"), (40, "18-39"), (65, "40-64"),
                                                                          (80, "65-79")))  # fmt: skip
_AGE_BAND = f"CASE WHEN age IS NULL OR age < 0 THEN NULL{_BANDS} ELSE '80+' END"
_NAME_PARTS = (
    "facility", "code", "words", "scheme", "other_code", "other_words", "other_scheme", "kind", "part",
)  # fmt: skip
_FILLED = ", ".join(f"coalesce({part}, '')" for part in _NAME_PARTS)
_NAME_KEY = f"concat_ws(chr(31), {_FILLED})"
_ACTOR = (
    "CASE WHEN coalesce(id, '') <> '' THEN keyed('actor', concat_ws(chr(31), coalesce(authority, ''), id)) "
    "WHEN coalesce(person, '') <> '' THEN keyed('actor', {name}) END"
)
_ACTOR_SPARK = _ACTOR.format(name="regexp_replace(upper(trim(person)), '[^\\\\p{Alnum}]+', ' ')").replace("chr", "char")

MACROS: tuple[Macro, ...] = (
    # A UTC instant as the wall clock of an IANA zone.
    Macro("local_at", (("moment", "TIMESTAMP"), ("zone", "STRING")), "TIMESTAMP",
          "timezone(zone, timezone('UTC', moment))", "from_utc_timestamp(moment, zone)"),
    # Whole seconds, so their sum is the same in any order; negative where `until` lies before `since`.
    Macro("seconds_between", (("since", "TIMESTAMP"), ("until", "TIMESTAMP")), "DOUBLE",
          "CAST(date_diff('second', since, until) AS DOUBLE)",
          "CAST(unix_timestamp(until) - unix_timestamp(since) AS DOUBLE)"),
    # Minutes of whole seconds; negative where `until` lies before `since`.
    Macro("minutes_between", (("since", "TIMESTAMP"), ("until", "TIMESTAMP")), "DOUBLE",
          "date_diff('second', since, until) / 60.0",
          "CAST(unix_timestamp(until) - unix_timestamp(since) AS DOUBLE) / 60.0"),
    Macro("add_seconds", (("moment", "TIMESTAMP"), ("seconds", "DOUBLE")), "TIMESTAMP",
          "moment + to_microseconds(CAST(round(CAST(seconds AS DOUBLE) * 1000000) AS BIGINT))",
          "timestamp_micros(unix_micros(moment) + CAST(round(CAST(seconds AS DOUBLE) * 1000000) AS BIGINT))"),
    # Microseconds since 1970, and the moment of so many.
    Macro("micros", (("moment", "TIMESTAMP"),), "BIGINT", "epoch_us(moment)", "unix_micros(moment)"),
    Macro("at_micros", (("n", "BIGINT"),), "TIMESTAMP", "make_timestamp(n)", "timestamp_micros(n)"),
    # 0 is Monday 00:00, 10,079 Sunday 23:59.
    Macro("minute_of_week", (("wall", "TIMESTAMP"),), "INT",
          "CAST((isodow(wall) - 1) * 1440 + hour(wall) * 60 + minute(wall) AS INTEGER)",
          "weekday(CAST(wall AS DATE)) * 1440 + hour(wall) * 60 + minute(wall)"),
    Macro("age_band", (("age", "DOUBLE"),), "STRING", _AGE_BAND, _AGE_BAND),
    # A local procedure name with its facility, and the modality and body part seen beside it.
    Macro("name_key", tuple((part, "STRING") for part in _NAME_PARTS), "STRING", _NAME_KEY,
          _NAME_KEY.replace("chr(31)", "char(31)")),
    # A person: identifier within its authority, else the name in one spelling.
    Macro("actor_key", (("authority", "STRING"), ("id", "STRING"), ("person", "STRING")), "STRING",
          _ACTOR.format(name="regexp_replace(upper(trim(person)), '[^[:alnum:]]+', ' ', 'g')"),
          _ACTOR_SPARK),
)  # fmt: skip
