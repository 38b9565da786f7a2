"""The digest: its numbers are the overview's, and it reaches each reader once a day by real SMTP, or says why not."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from app.digest import compose
from etl.digest import digest
from etl.errors import SettingsError
from etl.home import Home
from etl.mail import message, server_of
from etl.settings import Settings
from sql import query
from sql.filters import Filters
from sql.snapshot import Store
from sql.team import digests, notes, saved, tables
from sql.team.digests import Letter
from sql.team.store import Team, TeamError
from sql.written import value
from tests.installation import Installation
from tests.mail_server import MailServer, certificate, down
from tests.published import Published

MORNING = datetime(2026, 11, 28, 6, 10).astimezone()
PLAIN = Letter("A day", "<p>html é</p>", "text é")
SECRET = "s3cret /"  # noqa: S105 - of a server that lives as long as its test
HOSTILE = '<img src="http://elsewhere.example/x">&\u202e'


@pytest.fixture
def root(published: Published, tmp_path: Path) -> Path:
    """A home of its own with the session's snapshots."""
    (tmp_path / "published").symlink_to(published.home.published, target_is_directory=True)
    return tmp_path


@pytest.fixture
def team(root: Path) -> Team:
    return Team.beside(root / "published")


@pytest.fixture(scope="session")
def pem(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return certificate(tmp_path_factory.mktemp("certificate"))


def home(root: Path, domains: str = "", **smtp: Any) -> Home:
    """An installation whose mail server is at `port`, without encryption unless said."""
    usual: dict[str, Any] = {"host": "127.0.0.1", "security": "none", "from": "radops@north.example", "seconds": 10}
    given = {f"smtp_{key}": one for key, one in {**usual, **smtp}.items()}
    made = Home(root, Settings(home=root, mail_domains=domains, **given))
    for folder in (made.exports, made.log):
        folder.mkdir(exist_ok=True)
    return made


def run(at: Home, *to: str, now: datetime = MORNING) -> dict[str, Any]:
    return digest(at, lambda *_: PLAIN, "000001-x", to, now)


def fates(made: dict[str, Any]) -> tuple[int, int, int, int]:
    return made["sent"], made["already"], made["failed"], made["unknown"]


@contextmanager
def subscribed(team: Team, *addresses: str) -> Iterator[list[str]]:
    yield [digests.subscribe(team, one, (), "ann", None) for one in addresses]


def received(server: MailServer, number: int = 0) -> EmailMessage:
    found = message_from_bytes(server.messages[number][2], policy=default)
    assert isinstance(found, EmailMessage)
    return found


def test_each_reader_gets_one_message_a_day(root: Path, team: Team, pem: Path) -> None:
    password = root / "password"
    password.write_text(f"{SECRET}\n")
    password.chmod(0o600)
    with subscribed(team, "ann@north.example", "bob@north.example"), \
            MailServer(pem, has_starttls=True, user="radops", password=SECRET) as server:  # fmt: skip
        at = home(root, port=server.port, security="starttls", ca_file=pem, user="radops", password_file=password)
        assert fates(run(at)) == (2, 0, 0, 0)
        assert fates(run(at)) == (0, 2, 0, 0)
        assert fates(run(at, now=MORNING + timedelta(days=1))) == (2, 0, 0, 0)
    went = [recipients[0].partition("TO:")[2] for _, recipients, _ in server.messages]
    both = ["<ann@north.example>", "<bob@north.example>"]
    assert [sorted(went[:2]), sorted(went[2:])] == [both, both]
    assert server.commands[:4] == ["EHLO", "STARTTLS", "EHLO", "AUTH"]
    told = received(server)
    assert (told["From"], f"<{told['To']}>", told["Subject"]) == ("radops@north.example", went[0], "A day")
    ids = [received(server, number)["Message-ID"] for number in range(4)]
    assert len(set(ids)) == 4
    parts = {part.get_content_type(): part.get_content().strip() for part in told.iter_parts()}
    assert parts == {"text/plain": "text é", "text/html": "<p>html é</p>"}
    assert (root / "exports" / "digest" / "2026-11-28.html").read_text("utf-8") == "<p>html é</p>"


@pytest.mark.parametrize(
    ("behaviour", "problem"),
    [
        ("silent", "took too long"),
        ("slow", "took too long"),
        ("dropping", "broke off"),
        ("full", "refuses the message"),
    ],
)
def test_a_server_that_misbehaves_is_told_and_asked_again(root: Path, team: Team, behaviour: str, problem: str) -> None:
    with subscribed(team, "ann@north.example", "bob@north.example") as ids:
        with MailServer(behaviour=behaviour) as server:
            began = time.monotonic()
            # Only who says nothing is waited for: to hear the others takes longer than a second on a busy machine.
            made = run(home(root, port=server.port, seconds=1 if behaviour in ("silent", "slow") else 20))
        assert time.monotonic() - began < 30
        assert fates(made) == (0, 0, 2, 0)
        assert all(problem in told for told in made["problems"])
        assert server.messages == []
        assert {digests.outcomes(team)[one].state for one in ids} == {"failed"}
        with MailServer() as server:
            assert fates(run(home(root, port=server.port))) == (2, 0, 0, 0)
        assert {digests.outcomes(team)[one].tries for one in ids} == {2}
        assert len(server.messages) == 2


def test_a_server_that_is_down(root: Path, team: Team) -> None:
    with subscribed(team, "ann@north.example"):
        made = run(home(root, port=down()))
    assert fates(made) == (0, 0, 1, 0)
    assert list(made["problems"]) == ["the mail server cannot be reached"]
    assert Path(made["file"]).is_file()


def test_without_trusted_encryption_nothing_is_said(root: Path, team: Team, pem: Path) -> None:
    with subscribed(team, "ann@north.example"):
        with MailServer() as server:
            assert fates(run(home(root, port=server.port, security="starttls"))) == (0, 0, 1, 0)
        assert server.commands == ["EHLO"]
        with MailServer(pem, has_starttls=True) as server:
            assert fates(run(home(root, port=server.port, security="starttls"))) == (0, 0, 1, 0)
        assert "MAIL" not in server.commands
        with MailServer(pem, is_tls=True) as server:
            made = run(home(root, port=server.port, security="tls"))
            assert list(made["problems"]) == ["the mail server offers no encryption that can be trusted"]
            assert fates(run(home(root, port=server.port, security="tls", ca_file=pem))) == (1, 0, 0, 0)
        assert len(server.messages) == 1


def test_a_wrong_password_is_told_in_our_words(root: Path, team: Team, pem: Path) -> None:
    password = root / "password"
    password.write_text("wrong")
    password.chmod(0o600)
    with subscribed(team, "ann@north.example"), \
            MailServer(pem, has_starttls=True, user="radops", password=SECRET) as server:  # fmt: skip
        made = run(
            home(root, port=server.port, security="starttls", ca_file=pem, user="radops", password_file=password)
        )
    assert list(made["problems"]) == ["the mail server does not take the user and password"]
    assert server.messages == []
    assert "secret" not in str(made)


def test_one_refused_address_keeps_no_other_from_its_message(root: Path, team: Team) -> None:
    with subscribed(team, "ann@north.example", "gone@north.example", "bob@north.example"), \
            MailServer(refuses="gone@") as server:  # fmt: skip
        made = run(home(root, port=server.port))
    assert fates(made) == (2, 0, 1, 0)
    assert list(made["problems"]) == ["the mail server refuses this address"]
    assert len(server.messages) == 2


def test_several_starts_at_once_send_each_message_once(root: Path, team: Team) -> None:
    names = [f"reader{number}@north.example" for number in range(6)]
    keys = [digests.subscribe(team, one, (), "ann", None) for one in names]

    def claimed(_: int) -> int:
        return sum(digests.claim(Team(team.path.parent), key, date(2026, 11, 28), "x") is None for key in keys)

    with ThreadPoolExecutor(4) as several:
        assert sum(several.map(claimed, range(4))) == 6
    with MailServer() as server:  # those who claimed died while they sent: it may have arrived
        assert fates(run(home(root, port=server.port))) == (0, 0, 0, 6)
    assert server.messages == []


def test_names_and_addresses_cannot_add_headers(root: Path, team: Team) -> None:
    with subscribed(team, "ann@north.example") as (one,), MailServer() as server:
        with team.writing() as connection:
            connection.execute(update(tables.subscriber).values(address="ann@x\r\nBcc: eve@elsewhere.example"))
        assert fates(run(home(root, port=server.port))) == (0, 0, 1, 0)
    assert server.messages == []
    assert digests.outcomes(team)[one].problem == "refused"
    told = message(Letter("A\r\nBcc: eve@x\n\u202eB", "", ""), "a@b", "c@d", MORNING, "id")
    assert told["Subject"] == "A Bcc: eve@x B"
    assert told["Bcc"] is None
    with pytest.raises(TeamError):
        message(PLAIN, "a@b\nBcc: x@y", "c@d", MORNING, "id")


def test_readers_named_at_the_start_get_it_once_too(root: Path) -> None:
    with MailServer() as server:
        at = home(root, "*", port=server.port)
        assert fates(run(at, "ann@x.example", "ANN@x.example")) == (1, 1, 0, 0)
        assert fates(run(at, "ann@x.example")) == (0, 1, 0, 0)
    assert len(server.messages) == 1


@pytest.mark.parametrize(
    ("domains", "allowed"),
    [("", "bob@NORTH.example"), ("x.example", "ann@x.example"), (" Y.example ,x.example", "ann@X.example")],
)
def test_letters_go_to_the_domains_that_the_site_names_alone(root: Path, domains: str, allowed: str) -> None:
    """Without any named, to that of the sender; never to one that only ends alike, nor below it."""
    others = [one for one in ("bob@north.example", "ann@x.example", "eve@evilx.example", "eve@sub.x.example",
                              "eve@x.example.evil", "eve@a-north.example")
              if one.rpartition("@")[2] != allowed.rpartition("@")[2].lower()]  # fmt: skip
    with MailServer() as server:
        at = home(root, domains, port=server.port)
        made = run(at, allowed, *others)
        assert fates(made) == (1, 0, len(others), 0)
        assert list(made["problems"]) == ["RADOPS_MAIL_DOMAINS does not name the address's domain"]
        assert fates(run(home(root, "*", port=server.port), *others)) == (len(others), 0, 0, 0)
    assert server.messages[0][1][0].partition("TO:")[2] == f"<{allowed}>"


def test_each_reader_gets_it_in_the_language_of_the_subscription(root: Path, team: Team) -> None:
    store = Store(root / "published")
    mine = digests.subscribe(team, "ann@north.example", (), "ann", None, "de")
    digests.subscribe(team, "bob@north.example", (), "ann", None)

    def letter(facilities: tuple[str, ...] | None, views: Any, language: str) -> Letter:
        return compose(store, facilities, views, "https://radops.north.example", MORNING.date(), language)

    with MailServer() as server:
        at = home(root, port=server.port)
        assert fates(digest(at, letter, "x", (), MORNING)) == (2, 0, 0, 0)
        digests.choose(team, mine, (), "ann", "en")
        assert fates(digest(at, letter, "x", (), MORNING + timedelta(days=1))) == (2, 0, 0, 0)
    pages = [{part.get_content_type(): part.get_content() for part in received(server, number).iter_parts()}
             for number in range(4)]  # fmt: skip
    assert [re.findall(r'<html lang="(\w+)">', page["text/html"]) for page in pages] == [["de"], ["en"], ["en"], ["en"]]
    german, english = pages[0], pages[1]
    for kind in ("text/html", "text/plain"):
        assert "Die Hälfte" in german[kind] or "die Hälfte" in german[kind]
        assert "In Zahlen" in german[kind]
        assert "In numbers" not in german[kind]
        assert "In numbers" in english[kind]
    with pytest.raises(TeamError, match="gone"):
        digests.choose(team, mine, (), "ann", "xx")


def test_a_store_of_before_languages_is_read_and_speaks_english(team: Team) -> None:
    kept = digests.subscribe(team, "ann@north.example", (), "ann", None, "de")
    with team.writing() as connection:
        connection.exec_driver_sql("DROP TABLE spoken")
        connection.exec_driver_sql("PRAGMA user_version = 1")
    assert [(one.id, one.language) for one in digests.subscribers(Team(team.path.parent))] == [(kept, "en")]


def test_without_a_server_only_the_file_is_made(root: Path, team: Team) -> None:
    with subscribed(team, "ann@north.example") as (one,):
        made = run(home(root, host=""))
    assert fates(made) == (0, 0, 0, 0)
    assert (made["readers"], made["has_server"]) == (1, False)
    assert one not in digests.outcomes(team)


@pytest.mark.parametrize(
    ("smtp", "why"),
    [({"from": ""}, "RADOPS_SMTP_FROM"), ({"from": "x\r\ny@z"}, "RADOPS_SMTP_FROM"),
     ({"user": "ann"}, "clear"),
     ({"user": "ann", "security": "tls"}, "go together"),
     ({"user": "ann", "security": "tls", "password_file": Path("/nowhere")}, "cannot be read")],
)  # fmt: skip
def test_settings_that_cannot_be_used(root: Path, smtp: dict[str, Any], why: str) -> None:
    with pytest.raises(SettingsError, match=why):
        server_of(home(root, **smtp).settings)


def test_a_password_that_cannot_be_sent_is_refused(root: Path) -> None:
    (root / "password").write_text("é", "utf-8")
    (root / "password").chmod(0o600)
    with pytest.raises(SettingsError, match="ASCII"):
        server_of(home(root, user="ann", security="tls", password_file=root / "password").settings)


def test_a_password_that_others_may_read_is_refused(root: Path) -> None:
    (root / "password").write_text("x")
    (root / "password").chmod(0o644)
    with pytest.raises(SettingsError, match="chmod 600"):
        server_of(home(root, user="ann", security="tls", password_file=root / "password").settings)


class Cells(HTMLParser):
    """Cells of the table of numbers, row by row, and every address and style of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self.links: list[str] = []
        self.tags: set[str] = set()
        self._in_cell = False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.tags.add(tag)
        self.links += [str(given[name]) for name in ("href", "src", "background", "action") if name in given]
        if tag == "tr":
            self.rows.append([])
        self._in_cell = (tag in ("th", "td") and "scope" in given) or (
            tag == "td" and "rule" in str(given.get("class"))
        )
        if self._in_cell:
            self.rows[-1].append("")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)

    def handle_endtag(self, tag: str) -> None:
        self._in_cell = self._in_cell and tag not in ("th", "td")

    def handle_data(self, data: str) -> None:
        if self.rows and self.rows[-1] and data.strip():
            self.rows[-1][-1] += f"{data}|"


def test_the_numbers_of_a_mail_are_those_of_the_metrics(root: Path, team: Team) -> None:
    """Read back from the mail, and asked anew of `sql.query` by facility, without the overview."""
    store = Store(root / "published")
    snapshot = store.current()
    mine = saved.keep(team, saved.Page("/turnaround", "modality=MR"), "MR é <b>", False, "ann")
    digests.subscribe(team, "ann@north.example", (mine,), "ann", None)
    day = snapshot.data_through.date()
    notes.add(team, notes.Draft(day, day, Filters(facility=("NORTH",)), HOSTILE), "ann")
    address = "https://radops.north.example"

    def letter(facilities: tuple[str, ...] | None, views: Any, language: str) -> Letter:
        return compose(store, facilities, views, address, MORNING.date(), language)

    with MailServer() as server:
        assert fates(digest(home(root, port=server.port), letter, snapshot.id, (), MORNING)) == (1, 0, 0, 0)
    parts = {part.get_content_type(): part.get_content() for part in received(server).iter_parts()}
    page = Cells(parts["text/html"])
    filters = Filters.default(snapshot.data_through)
    names = dict(query.rows(snapshot, "dim_facility", columns=("facility", "facility_name")).iter_rows())
    told = {row[0].rstrip("|"): row[1:] for row in page.rows if len(row) == 6}
    asked = (("report_final", "p50", "min", 2), ("within_target", None, "share", 3), ("utilization", None, "share", 4),
             ("backlog", "waiting", "exams", 5))  # fmt: skip
    checked = 0
    for groups in ((), ("facility",)):
        for metric, statistic, unit, column in asked:
            found = query.metric(snapshot, metric, groups=groups, filters=filters, statistic=statistic)
            for row in found.iter_rows(named=True):
                name = names.get(row["group_value"], "All facilities")
                assert told[name][column - 1].split("|")[0] == value(row["value"], unit), (name, metric)
                assert value(row["value"], unit) in parts["text/plain"]
                checked += 1
        counted = query.metric(snapshot, "report_final", groups=groups, filters=filters, statistic="p50")
        for row in counted.iter_rows(named=True):
            assert told[names.get(row["group_value"], "All facilities")][0] == value(row["n"], "exams") + "|"
    assert checked > 15
    assert snapshot.id in parts["text/html"]
    assert f"{address}/turnaround?modality=MR" in page.links
    assert all(link.startswith(f"{address}/") for link in page.links)
    assert not page.tags & {"img", "script", "link", "iframe", "object", "form"}
    assert not re.search(r"url\(|@import", parts["text/html"])
    assert "&lt;img" in parts["text/html"]
    assert "MR é &lt;b&gt;" in parts["text/html"]


def test_a_letter_keeps_to_what_its_reader_may_see(root: Path, team: Team) -> None:
    store = Store(root / "published")
    day = store.current().data_through.date()
    notes.add(team, notes.Draft(day, day, Filters(facility=("NORTH",)), "secret of the north"), "ann")
    hidden = saved.keep(team, saved.Page("/turnaround", "facility=NORTH"), "The north", True, "ann")
    reader = saved.keep(team, saved.Page("/workload", "radiologist=R1"), "A reader", True, "ann")
    made = compose(store, ("EAST",), (hidden, reader), "http://127.0.0.1:8050", MORNING.date())
    for part in (made.html, made.text):
        assert "East" in part
        assert "North" not in part
        assert "secret of the north" not in part
        assert "A reader" not in part
    assert "A reader" not in compose(store, None, (reader,), "http://127.0.0.1:8050", MORNING.date()).html


def test_the_verb_ends_truthfully(network: Path, published: Published, tmp_path: Path) -> None:
    house = Installation(tmp_path / "home", {"site": network / "site"})
    assert house.radops("digest", check=None).returncode == 11
    (house.root / "published").rmdir()
    (house.root / "published").symlink_to(published.home.published, target_is_directory=True)
    assert house.radops("digest", "--to", "no address", check=None).returncode == 2
    house.radops("digest")
    assert len(list((house.home.exports / "digest").glob("*.html"))) == 1
    with MailServer(refuses="gone@") as server:
        smtp = {"smtp_host": "127.0.0.1", "smtp_port": server.port, "smtp_security": "none",
                "smtp_from": "radops@north.example",
                "mail_domains": "X.example, north.example"}  # fmt: skip
        house = Installation(house.root, {**house.settings, **smtp})
        done = house.radops("digest", "--to", "gone@x.example", "--to", "ann@x.example", check=None)
    assert done.returncode == 15
    assert "not sent to 1 of 2: the mail server refuses this address" in done.stderr
    assert len(server.messages) == 1
    assert "x.example" not in (house.home.log / "radops.log").read_text()
    # In a process of its own: in this one readers may hold the snapshot open, with other settings.
    told = json.loads(house.radops("status", "--json").stdout)
    assert any("could not be sent to 1" in alarm for alarm in told["alarms"])
