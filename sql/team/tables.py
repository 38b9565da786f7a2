"""Tables of the store. What people wrote is never patched: a note has a row a version."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Date, DateTime, Integer, MetaData, PrimaryKeyConstraint, String, Table

#: Version of the tables, in the file's header. A change adds what is missing and raises it.
VERSION = 2
metadata = MetaData()

note = Table(
    "note", metadata,
    Column("id", String, nullable=False),
    Column("version", Integer, nullable=False),
    Column("action", String, nullable=False),  # added, changed, withdrawn
    Column("since", Date, nullable=False),
    Column("until", Date, nullable=False),  # the day after its last
    Column("filters", String, nullable=False),  # as in an address, without dates
    Column("text", String, nullable=False),
    Column("author", String, nullable=False),
    Column("at", DateTime, nullable=False),
    PrimaryKeyConstraint("id", "version"),
)  # fmt: skip

view = Table(
    "view", metadata,
    Column("id", String, primary_key=True),
    Column("kind", String, nullable=False),  # page, query
    Column("name", String, nullable=False),
    Column("path", String, nullable=False),
    Column("query", String, nullable=False),  # of the address
    Column("statement", String, nullable=False),  # of a query
    Column("is_shared", Boolean, nullable=False),
    Column("author", String, nullable=False),
    Column("created_at", DateTime, nullable=False),
    Column("changed_at", DateTime, nullable=False),
)  # fmt: skip

subscriber = Table(
    "subscriber", metadata,
    Column("id", String, primary_key=True),
    Column("address", String, nullable=False),
    Column("author", String, nullable=False),
    Column("facilities", String),  # that the author may see, as JSON; NULL means all
    Column("created_at", DateTime, nullable=False),
)  # fmt: skip

subscribed = Table(
    "subscribed", metadata,
    Column("subscriber", String, nullable=False),
    Column("view", String, nullable=False),
    PrimaryKeyConstraint("subscriber", "view"),
)  # fmt: skip

spoken = Table(
    "spoken", metadata,
    Column("subscriber", String, primary_key=True),
    Column("language", String, nullable=False),  # of the letter; English where there is no row
)  # fmt: skip

sent = Table(
    "sent", metadata,
    Column("subscriber", String, nullable=False),
    Column("day", Date, nullable=False),
    Column("snapshot", String, nullable=False),
    Column("state", String, nullable=False),  # sending, sent, failed
    Column("problem", String, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("at", DateTime, nullable=False),
    PrimaryKeyConstraint("subscriber", "day"),
)  # fmt: skip
