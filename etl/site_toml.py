"""Facilities changed inside site.toml, everything else of the file left as it is written, comments too."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Mapping, Sequence
from typing import Any

from etl.site import SiteError
from sql.site_files import Row, parts

_HEAD = re.compile(r"^\s*\[", re.MULTILINE)
_FACILITY = re.compile(r"^\s*\[\[\s*facility\s*\]\][^\n]*\n?", re.MULTILINE)
#: Column of the table of facilities -> key in site.toml.
KEYS = {"name": "name", "zone": "zone", "kind": "kind", "aliases": "aliases"}


def facility_rows(text: str) -> list[dict[str, str]]:
    """The facilities of a site.toml as rows of `sql.site_files.FACILITIES`."""
    return [
        {"facility": str(entry.get("id", "")), "name": str(entry.get("name", "")), "zone": str(entry.get("zone", "")),
         "kind": str(entry.get("kind", "")), "aliases": "; ".join(map(str, entry.get("aliases", ())))}
        for entry in tomllib.loads(text).get("facility", ())
    ]  # fmt: skip


def with_facilities(text: str, rows: Sequence[Row]) -> str:
    """The file's text with these facilities: one that it has is changed where it stands, another is added at its end,
    one that is not named stays. Raises SiteError where the file is written in a way that this cannot change.
    """
    wanted = tomllib.loads(text)
    entries: list[dict[str, Any]] = wanted.setdefault("facility", [])
    made = text
    for row in rows:
        entry = next((e for e in entries if e.get("id") == row["facility"]), None)
        if entry is None:
            entries.append(entry := {"id": row["facility"]})
            made = f"{made.rstrip()}\n\n[[facility]]\nid = {_literal(row['facility'])}\n"
        told = _told(row)
        changed = {key: value for key, value in told.items() if entry.get(key, _empty(key)) != value}
        if "aliases" in changed and sorted(entry.get("aliases", ())) == sorted(told["aliases"]):
            del changed["aliases"]  # only in another order
        if changed:
            entry.update(changed)
            made = _changed(made, row["facility"], changed)
    try:
        is_right = tomllib.loads(made) == wanted
    except tomllib.TOMLDecodeError:
        is_right = False
    if not is_right:
        raise SiteError("site.toml is written in a way that cannot be changed here; change its [[facility]] by hand")
    return made


def _told(row: Row) -> dict[str, Any]:
    return {key: parts(row[column]) if column == "aliases" else row[column] for column, key in KEYS.items()}


def _empty(key: str) -> Any:
    return [] if key == "aliases" else ""


def _literal(value: Any) -> str:
    """A string, or a list of strings, as TOML writes it; JSON's escapes of a string are TOML's."""
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    return f"[{', '.join(map(_literal, value))}]"


def _changed(text: str, facility: str, changed: Mapping[str, Any]) -> str:
    """The text with keys of one facility set."""
    for head in _FACILITY.finditer(text):
        following = _HEAD.search(text, head.end())
        while following and not _is_table(text, following.start()):
            following = _HEAD.search(text, following.end())
        end = following.start() if following else len(text)
        block = text[head.end() : end]
        try:
            found = tomllib.loads(block)
        except tomllib.TOMLDecodeError:
            continue
        if found.get("id") == facility:
            for key, value in changed.items():
                block = _set(block, key, value)
            return text[: head.end()] + block + text[end:]
    return text


def _is_table(text: str, at: int) -> bool:
    """Whether a bracket at the begin of a line opens a table, not a list that goes on."""
    return re.match(r"\s*\[\[?[^\[\],]+\]\]?\s*(#[^\n]*)?(\n|$)", text[at:]) is not None


def _set(block: str, key: str, value: Any) -> str:
    """Lines of a table with one key set; a list over several lines is one value."""
    match = re.search(rf"^[ \t]*{key}[ \t]*=[ \t]*", block, re.MULTILINE)
    line = f"{key} = {_literal(value)}"
    if match is None:
        head = block.rstrip("\n")
        return f"{head}\n{line}\n" + block[len(head) + 1 :]
    lines = block[match.start() :].split("\n")
    for n in range(1, len(lines) + 1):
        try:
            tomllib.loads("\n".join(lines[:n]))
        except tomllib.TOMLDecodeError:
            continue
        comment = re.search(r"[ \t]+#[^\n\"']*$", lines[n - 1])
        rest = [line + (comment[0] if comment else ""), *lines[n:]]
        return block[: match.start()] + "\n".join(rest)
    return block
