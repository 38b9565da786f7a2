"""The scopes of the published network's copies: two of its facilities together, and one with people."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

from etl.home import Home
from etl.scopes import load_scopes, publish_scope
from tests.published import Published

SCOPES = """
[scope.outpatient]
facilities = ["WEST", "SOUTH"]
label = "Outpatient group"

[scope.teaching]
facilities = ["NORTH"]
people = true
"""


def scoped_home(published: Published, root: Path) -> Home:
    """The home below `root`, with the settings of the published one."""
    site = root / "site"
    settings = published.home.settings.model_copy(update={"home": root / "home", "site": site})
    return replace(published.home, root=root / "home", settings=settings)


def publish_scopes_of(published: Published, root: Path) -> None:
    """Copy the published network below `root` and publish its scopes."""
    ignored = shutil.ignore_patterns("runs", "inbox", "intake.duckdb", "marts.duckdb")
    shutil.copytree(published.home.root, root / "home", symlinks=True, ignore=ignored)
    shutil.copytree(published.home.site, root / "site")
    (root / "site" / "scopes.toml").write_text(SCOPES, "utf-8")
    home = scoped_home(published, root)
    for scope in load_scopes(home).values():
        assert publish_scope(home, scope).is_new
