"""Snapshots of some facilities, for sites and analysts: rows of these facilities only, in a file of their own.

A scope is a table of the site's `scopes.toml`. Its snapshot is made from the whole one that is published, table by
table by the rules of `sql.scoping`, into an empty file: nothing of another facility was ever in it. It has the number
of the whole one and a digest of its own, and lies below `published/scopes/NAME`, a published folder like the other.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb

from etl.build_digest import META, columns_of, overall, recount, store, stored
from etl.durable import sync
from etl.errors import CheckFailedError, SettingsError, UnreadableInputError
from etl.home import Home
from etl.publish import Published, clear, complete, current, number, put_in_place, read_meta, retire
from etl.scope_models import derive
from etl.signatures import signature
from sql import scoping
from sql.engine import SOUND

FILE = "scopes.toml"
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,40}")
#: Letters of a label, which stands in tables and in the header.
MOST_LABEL = 40
#: What a snapshot of a scope says of it.
META_SCOPE = """
    CREATE TABLE meta_scope (
        name VARCHAR, facilities VARCHAR[], has_people BOOLEAN, whole VARCHAR, label VARCHAR);
    COMMENT ON TABLE meta_scope IS 'The facilities that this snapshot is of. One row.'"""

#: Of the whole network's build only how far the data reach.
_BUILD = """
    CREATE TABLE meta_build AS
    SELECT CAST(NULL AS BIGINT) AS batch_id, CAST(NULL AS BIGINT) AS epoch, signature, data_through
    FROM whole.meta_build"""


@dataclass(frozen=True, slots=True)
class Scope:
    """Facilities that belong together for some readers, whether single readers and technologists are told, and what
    pages call them together."""

    name: str
    facilities: tuple[str, ...]
    has_people: bool = False
    label: str = field(default="", compare=False)

    @property
    def title(self) -> str:
        """What pages call it: its label, or its name."""
        return self.label or self.name


@dataclass(frozen=True)
class ScopeHome(Home):
    """The home as a scope sees it: its published folder is that of the scope."""

    scope: str = ""

    @property
    def published(self) -> Path:
        return self.root / "published" / "scopes" / self.scope

    @property
    def exports(self) -> Path:
        """Packs are of the whole network."""
        return self.published / "exports"


def home_of(home: Home, name: str) -> ScopeHome:
    """The home with the published folder of a scope."""
    return ScopeHome(home.root, home.settings, name)


def chosen(home: Home, names: Sequence[str]) -> list[Scope]:
    """The scopes of these names. Raises SettingsError for one that the site does not have."""
    known = load_scopes(home)
    for name in names:
        if name not in known:
            told = f"it has {', '.join(known)}" if known else "it has none"
            raise SettingsError(f"no scope {name} in {home.site / FILE}; {told}")
    return [known[name] for name in dict.fromkeys(names)]


def load_scopes(home: Home) -> dict[str, Scope]:
    """The scopes of the site by name; none without the file. Raises SettingsError naming what is wrong."""
    path = home.site / FILE
    try:
        told = tomllib.loads(path.read_text("utf-8")).get("scope", {})
    except FileNotFoundError:
        return {}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path}: {error}") from error
    known = {facility.id for facility in home.load_site().facilities}
    return {name: _scope(path, name, entry, known) for name, entry in told.items()}


def _scope(path: Path, name: str, entry: Any, known: set[str]) -> Scope:
    if not _NAME.fullmatch(name):
        raise SettingsError(f"{path}: {name!r}: a name has small letters, digits, - and _")
    if not isinstance(entry, dict) or not entry.keys() <= {"facilities", "people", "label"}:
        raise SettingsError(f"{path}: {name}: a scope has the keys facilities, people and label")
    facilities, people, label = entry.get("facilities"), entry.get("people", False), entry.get("label", "")
    if not isinstance(label, str) or len(label) > MOST_LABEL:
        raise SettingsError(f"{path}: {name}: label is a text of at most {MOST_LABEL} letters")
    if not isinstance(facilities, list) or not facilities or not isinstance(people, bool):
        raise SettingsError(f"{path}: {name}: facilities is a list of their ids, people is true or false")
    if unknown := sorted(set(map(str, facilities)) - known):
        raise SettingsError(f"{path}: {name}: no facility {', '.join(unknown)} in site.toml")
    return Scope(name, tuple(sorted(set(facilities))), people, label.strip())


def publish_scope(home: Home, scope: Scope) -> Published:
    """Publish a scope of the newest whole snapshot, unless that was done. Raises CheckFailedError.

    Raises UnreadableInputError where nothing is published, or what is was published under other definitions.
    """
    whole = current(home)
    meta = read_meta(whole) if whole else None
    if whole is None or meta is None or meta.signature != signature(home.root):
        raise UnreadableInputError("nothing is published under these definitions: run `radops publish` first")
    own = home_of(home, scope.name)
    own.published.mkdir(mode=0o700, parents=True, exist_ok=True)
    clear(own.published)
    newest = current(own)
    known = read_meta(newest) if newest else None
    if newest and known and _told(newest) == (scope, meta.snapshot_id):
        return Published(known.snapshot_id, newest, known.digest, is_new=False)
    _refuse_same_number(own, number(whole))
    temporary = own.published / f".{whole.name}.tmp"
    digest = _cut(whole, scope, temporary)
    snapshot_id = f"{number(whole):06d}-{digest[:12]}"
    complete(temporary, snapshot_id, number(whole), digest, meta.signature, home.settings)
    with duckdb.connect(str(temporary)) as con:
        con.execute(META_SCOPE)
        row = [scope.name, list(scope.facilities), scope.has_people, meta.snapshot_id, scope.title]
        con.execute("INSERT INTO meta_scope VALUES (?, ?, ?, ?, ?)", row)
    sync(temporary)
    final = put_in_place(own, temporary, whole.name)
    retire(own, final)
    return Published(snapshot_id, final, digest, is_new=True)


def _refuse_same_number(own: Home, seq: int) -> None:
    newest = current(own)
    if newest is not None and number(newest) >= seq:
        raise UnreadableInputError(
            f"{newest.name} of this scope is there already, of other facilities or another home; a changed scope takes"
            " the next snapshot, or a new name"
        )


def _told(path: Path) -> tuple[Scope, str] | None:
    """The scope that a snapshot is of, and the whole one that it was cut from."""
    with duckdb.connect(str(path), read_only=True) as con:
        rows = con.execute("SELECT name, facilities, has_people, whole FROM meta_scope").fetchall()
    return next(((Scope(name, tuple(ids), people), whole) for name, ids, people, whole in rows), None)


def _cut(whole: Path, scope: Scope, target: Path) -> str:
    """Write the rows of a scope into a new file; their digest, proven. Raises CheckFailedError."""
    with duckdb.connect(str(target)) as con:
        con.execute("SET TimeZone = 'UTC'")
        con.execute(SOUND)
        con.execute(f"ATTACH '{str(whole).replace(chr(39), chr(39) * 2)}' AS whole (READ_ONLY)")
        con.execute("CREATE TEMP TABLE scope (facility VARCHAR)")
        con.executemany("INSERT INTO scope VALUES (?)", [[facility] for facility in scope.facilities])
        con.execute(_BUILD)
        tables = [row[0] for row in con.execute("SELECT table_name FROM whole.meta_table ORDER BY 1").fetchall()]
        for table in tables:
            columns = [name for name, _ in columns_of(con, f"whole.{table}")]
            rows = scoping.selected(table, columns, has_people=scope.has_people)
            con.execute(f"CREATE TABLE {table} AS {rows}")
        derive(con, scope.facilities, has_people=scope.has_people)
        con.execute("DETACH whole")
        con.execute(META)
        measured = recount(con, tables)
        store(con, measured)
        con.execute("CHECKPOINT")
    with duckdb.connect(str(target)) as con:  # as it is in the file
        con.execute("SET TimeZone = 'UTC'")
        if recount(con, tables) != stored(con):
            raise CheckFailedError(f"the snapshot of {scope.name} is not what was written; it was not published")
        return overall(con)
