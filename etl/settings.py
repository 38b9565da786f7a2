"""Settings: one table, read from RADOPS_* variables; an unknown one is refused so that a typo cannot go unseen."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from etl.errors import SettingsError

#: Variables that tests and CI use beside the settings; RADOPS_PURE_PYTHON=1 leaves the compiled twins unused.
OTHER_VARIABLES = frozenset({"RADOPS_REQUIRE_ALL", "RADOPS_PURE_PYTHON"})


#: A path, or kind://name/folder without a user, a secret or parameters: those come from the environment.
PLACE = r"^(?:[a-z][a-z0-9+.-]*://[^\s?#@:]+(?::\d+[^\s?#@:]*)?|[^:]*)$"
#: Settings beside the paths that no snapshot tells: they name places of the installation.
PRIVATE = frozenset(
    {"publish_to", "parquet_to", "pull_from", "s3_endpoint", "engine", "spark_master", "spark_folder", "lake"}
)


class Settings(BaseSettings):
    """Every setting with its default; the descriptions are the README's."""

    model_config = SettingsConfigDict(env_prefix="RADOPS_", extra="forbid", frozen=True)

    home: Path = Field(default=Path(".radops"), description="state folder: inbox, databases, snapshots, exports, log")
    site: Path | None = Field(default=None, description="site folder (site.toml and CSV files); default HOME/site")
    key_file: Path | None = Field(default=None, description="pseudonym key, mode 0600; default HOME/key/pseudonym.key")
    publish_accession: bool = Field(default=False, description="publish accession numbers instead of pseudonyms")
    publish_names: bool = Field(default=False, description="publish radiologists' names instead of labels")
    workers: int = Field(default=0, ge=0, le=64, description="parser processes; 0 means one a core")
    batch_files: int = Field(default=2000, ge=1, description="files a transaction at most")
    batch_mb: int = Field(default=64, ge=1, description="MB of input a transaction at most")
    worker_memory_mb: int = Field(default=2048, ge=256, description="memory limit of one parser process, MB")
    file_seconds: float = Field(default=30.0, gt=0, description="time limit for parsing one file, seconds")
    settle_seconds: float = Field(default=2.0, ge=0, description="age of a file, seconds, before it is read")
    max_rejects: float = Field(default=0.5, ge=0, le=1, description="share of a run's messages that may be rejected")
    keep_snapshots: int = Field(default=7, ge=1, description="snapshots kept beside those pinned at month ends")
    memory_limit: str = Field(default="4GB", description="DuckDB memory limit of build and publish")
    part_exams: int = Field(
        default=500_000, ge=1, description="exams that a build derives at once: fewer need less memory and disk"
    )
    engine: Literal["duckdb", "spark"] = Field(
        default="duckdb",
        description="what ingests and builds: this machine (duckdb) or Spark's executors",
    )
    spark_master: str = Field(default="local[*]", description="master of Spark: local[*], spark://host:7077, yarn, ...")
    spark_folder: str = Field(
        default="",
        pattern=PLACE,
        description="folder that all of Spark's hosts see, or URL, for what they hand over; empty for HOME/spark",
    )
    lake: str = Field(
        default="",
        pattern=PLACE,
        description="folder that all of Spark's hosts see, or URL, to keep raw rows in for Spark; empty for none",
    )
    paper: Literal["a4", "letter"] = Field(default="a4", description="sheet of the printed report: a4, or US letter")
    silence_hours: float = Field(
        default=48.0, gt=0, description="hours without a message before a source is called silent"
    )
    address: str = Field(
        default="http://127.0.0.1:8050", pattern=r"^https?://[^\s/?#]+[^\s?#]*$",
        description="address under which readers open the dashboard, for links in digests",
    )  # fmt: skip
    publish_to: str = Field(
        default="",
        pattern=PLACE,
        description="folder or URL (`s3://bucket/folder`) to put each new snapshot to; empty for none",
    )
    parquet_to: str = Field(
        default="",
        pattern=PLACE,
        description="folder or URL to put the marts of each new snapshot to as Parquet; empty for none",
    )
    pull_from: str = Field(
        default="",
        pattern=PLACE,
        description="such a place to take new snapshots from instead of publishing; empty for none",
    )
    pull_seconds: float = Field(default=60.0, ge=1, le=3600, description="time between two looks there, seconds")
    s3_endpoint: str = Field(
        default="", pattern=r"^(https?://[^\s/?#@]+/?)?$", description="address of an S3 service other than Amazon's"
    )
    smtp_host: str = Field(default="", description="server that sends digests; without one only their file is made")
    smtp_port: int = Field(default=0, ge=0, le=65535, description="its port; 0 means 587, with tls 465, with none 25")
    smtp_security: Literal["starttls", "tls", "none"] = Field(
        default="starttls", description="starttls or tls, the certificate checked; none only for a server you trust"
    )
    smtp_ca_file: Path | None = Field(
        default=None, description="certificates to check that server by; default the system's"
    )
    smtp_user: str = Field(default="", description="user at that server; empty for none")
    smtp_password_file: Path | None = Field(default=None, description="file with that user's password, mode 0600")
    smtp_from: str = Field(default="", description="address that digests come from")
    mail_domains: str = Field(
        default="", pattern=r"^[A-Za-z0-9.,* -]*$",
        description="domains that digests may go to, by comma; empty for that of RADOPS_SMTP_FROM alone, * for any",
    )  # fmt: skip
    smtp_seconds: float = Field(default=30.0, gt=0, le=300, description="time limit for one message, seconds")


def shown(settings: Settings) -> list[tuple[str, str, str, str]]:
    """Variable, value, default and meaning of each setting, without those of where it works."""
    return [
        (f"RADOPS_{name.upper()}", _told(getattr(settings, name)), _told(field.default), field.description or "")
        for name, field in Settings.model_fields.items()
        if "Path" not in str(field.annotation) and name not in PRIVATE
    ]


def _told(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def load_settings() -> Settings:
    """Settings of the environment. Raises SettingsError naming the variable."""
    known = {f"RADOPS_{name.upper()}" for name in Settings.model_fields} | OTHER_VARIABLES
    unknown = sorted(name for name in os.environ if name.startswith("RADOPS_") and name not in known)
    if unknown:
        raise SettingsError(f"unknown setting {', '.join(unknown)}; see the table of settings in the README")
    try:
        return Settings()
    except ValidationError as error:
        names = ", ".join(f"RADOPS_{'_'.join(map(str, e['loc'])).upper()}: {e['msg']}" for e in error.errors())
        raise SettingsError(names) from error
