"""The state folder: where everything lies, made private on first use."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from etl.errors import SettingsError
from etl.pseudonym import BadKey, load_key
from etl.settings import Settings, load_settings
from etl.site import Site, SiteError, load_site


@dataclass(frozen=True)
class Home:
    """Paths of one installation and its settings."""

    root: Path
    settings: Settings

    @property
    def inbox(self) -> Path:
        return self.root / "inbox"

    @property
    def intake(self) -> Path:
        return self.root / "intake.duckdb"

    @property
    def marts(self) -> Path:
        return self.root / "marts.duckdb"

    @property
    def published(self) -> Path:
        return self.root / "published"

    @property
    def exports(self) -> Path:
        return self.root / "exports"

    @property
    def log(self) -> Path:
        return self.root / "log"

    @property
    def lock_file(self) -> Path:
        return self.root / "radops.lock"

    @property
    def site(self) -> Path:
        return self.settings.site or self.root / "site"

    @property
    def key_file(self) -> Path:
        return self.settings.key_file or self.root / "key" / "pseudonym.key"

    def prepare(self) -> None:
        """Make the folders (0700) and the pseudonym key (0600) where they are missing; refuse a key others can read."""
        for folder in (self.root, self.inbox, self.published, self.exports, self.log, self.key_file.parent):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.root.chmod(0o700)
        try:
            load_key(self.key_file)
        except BadKey as error:
            raise SettingsError(str(error)) from error

    def load_site(self) -> Site:
        """The site's facilities and habits; without a site folder everything is unmapped and in UTC."""
        if not self.site.is_dir():
            return Site()
        try:
            return load_site(self.site)
        except SiteError as error:
            raise SettingsError(str(error)) from error

    def adopt_site(self, inputs: Iterable[Path]) -> Path | None:
        """Copy a `site` folder that lies beside the inputs, once, if this home has none. Returns where it was found."""
        if self.site.exists():
            return None
        for path in inputs:
            for folder in (path, *path.resolve().parents[:2]):
                found = folder / "site"
                if (found / "site.toml").is_file():
                    shutil.copytree(found, self.site)
                    return found
        return None


def open_home() -> Home:
    """The home that the environment names, prepared for use."""
    settings = load_settings()
    home = Home(settings.home.resolve(), settings)
    home.prepare()
    return home
