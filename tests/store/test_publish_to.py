"""Publishing to a place elsewhere: a failure there is told and made up for, and what is published here stays."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from etl.errors import SettingsError, StoreError
from etl.home import Home
from etl.log import Log
from etl.pipeline import run
from etl.settings import PRIVATE, Settings, load_settings, shown
from etl.status import status
from etl.store import marts, open_place, shelf
from tests.published import Published
from tests.s3_server import BUCKET, SECRETS

Copied = Callable[..., Home]


@pytest.fixture
def copied(published: Published, tmp_path: Path) -> Copied:
    """A copy of the published network's home under other settings."""
    root = tmp_path / "home"
    shutil.copytree(published.home.root, root, symlinks=True, ignore=shutil.ignore_patterns("runs", "inbox"))

    def under(**settings: str) -> Home:
        kept = published.home.settings.model_copy(update={"home": root, **settings})
        return replace(published.home, root=root, settings=kept)

    return under


def test_publish_puts_and_makes_up_for_what_failed(copied: Copied, s3: str) -> None:
    url = f"s3://{BUCKET}/publish-to"
    home = copied(publish_to=url, s3_endpoint="http://127.0.0.1:9")
    before = (home.published / "radops.duckdb").resolve()
    with pytest.raises(StoreError, match="EndpointConnectionError"):
        run(home, Log(home.log, is_quiet=True), [], stages=("publish",))
    assert (home.published / "radops.duckdb").resolve() == before
    told = status(home)
    assert told["snapshot"] is not None
    assert [alarm for alarm in told["alarms"] if "RADOPS_PUBLISH_TO" in alarm]
    home = copied(publish_to=url, s3_endpoint=s3)
    run(home, Log(home.log, is_quiet=True), [], stages=("publish",))
    assert not [alarm for alarm in status(home)["alarms"] if "RADOPS_PUBLISH_TO" in alarm]
    manifest = shelf.newest(open_place(url, s3))
    assert manifest is not None
    assert manifest.snapshot_id == told["snapshot"]
    log = (home.log / "radops.log").read_text("ascii")
    assert "EndpointConnectionError" in log
    assert not any(secret in log for secret in SECRETS)


def test_marts_as_parquet_are_made_up_for_too(copied: Copied, s3: str, tmp_path: Path) -> None:
    """Of two places one may fail: the other has its files, and the one that failed is told."""
    url, other = f"s3://{BUCKET}/parquet-to", tmp_path / "snapshots"
    home = copied(parquet_to=url, publish_to=str(other), s3_endpoint="http://127.0.0.1:9")
    with pytest.raises(StoreError, match="EndpointConnectionError") as caught:
        run(home, Log(home.log, is_quiet=True), [], stages=("publish",))
    assert caught.value.exit_code == 16
    told = status(home)
    assert [alarm for alarm in told["alarms"] if "RADOPS_PARQUET_TO" in alarm]
    assert not [alarm for alarm in told["alarms"] if "RADOPS_PUBLISH_TO" in alarm]
    manifest = shelf.newest(open_place(str(other)))
    assert manifest is not None
    assert manifest.snapshot_id == told["snapshot"]
    home = copied(parquet_to=url, s3_endpoint=s3)
    run(home, Log(home.log, is_quiet=True), [], stages=("publish",))
    assert not [alarm for alarm in status(home)["alarms"] if "RADOPS_PARQUET_TO" in alarm]
    named = marts.newest(open_place(url, s3))
    assert named is not None
    assert named.snapshot_id == told["snapshot"]


def test_no_snapshot_tells_where_others_lie() -> None:
    named = Settings(
        publish_to="s3://own-bucket/x", pull_from="s3://own-bucket/x", parquet_to="s3://own-bucket/x",
        s3_endpoint="http://own-host",
    )  # fmt: skip
    assert [row for row in shown(named) if "own-" in row[1]] == []
    assert {name.removeprefix("RADOPS_").lower() for name, *_ in shown(named)}.isdisjoint(PRIVATE)


def test_a_home_that_pulls_does_not_publish(copied: Copied, tmp_path: Path) -> None:
    home = copied(pull_from=str(tmp_path / "place"))
    with pytest.raises(SettingsError, match="RADOPS_PULL_FROM"):
        run(home, Log(home.log, is_quiet=True), [], stages=("publish",))


@pytest.mark.parametrize("name", ["RADOPS_PUBLISH_TO", "RADOPS_PULL_FROM", "RADOPS_PARQUET_TO"])
def test_a_secret_in_a_url_is_refused_and_not_told(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, "s3://key:very-secret@bucket/x")
    with pytest.raises(SettingsError) as caught:
        load_settings()
    assert name in str(caught.value)
    assert "very-secret" not in str(caught.value)
