"""Another language: complete, chosen for one request alone, and nothing but words different."""

from __future__ import annotations

import string
from importlib import import_module
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from app.server import create_app
from app.texts import TEXTS, table
from app.views import Views
from sql.snapshot import Store
from sql.words import LANGUAGES, language, speaking
from tests.app.conftest import LOCAL
from tests.app.test_views import gate, shown
from tests.conftest import REPO

OTHERS = tuple(code for code in LANGUAGES if code != "en")


@pytest.fixture(scope="module")
def client(home: Path) -> FlaskClient:
    return create_app(home / "published").server.test_client()


def own_texts(code: str) -> dict[str, str]:
    """What the modules of a language say themselves, without English in its place. Each key stands in one of them."""
    found: dict[str, str] = {}
    for path in sorted((REPO / "app" / "wording" / code).glob("*.py")):
        texts: dict[str, str] = getattr(import_module(f"app.wording.{code}.{path.stem}"), "TEXTS", {})
        assert not found.keys() & texts.keys(), path.name
        found |= texts
    return found


def places(told: str) -> list[str]:
    """Names of the values that are put into a text."""
    return sorted(name for _, name, _, _ in string.Formatter().parse(told) if name is not None)


@pytest.mark.parametrize("code", OTHERS)
def test_every_text_is_there_in_every_language(code: str) -> None:
    theirs = own_texts(code)
    lacking, unknown = sorted(TEXTS.keys() - theirs.keys()), sorted(theirs.keys() - TEXTS.keys())
    assert not lacking, (
        f"{len(lacking)} texts lack their {LANGUAGES[code]}: add each key with its translation to the module of the "
        f"same name under app/wording/{code}/ (a new module there is found by itself; values in braces stay; "
        f"Befund = report, Untersuchung = exam, Standort = facility): {', '.join(lacking)}"
    )
    assert not unknown, f"app/wording/{code} has texts that English has not (renamed or removed?): {', '.join(unknown)}"


@pytest.mark.parametrize("code", OTHERS)
def test_every_text_takes_the_same_values(code: str) -> None:
    theirs = table(code)
    assert {key: theirs[key] for key, told in TEXTS.items() if set(places(told)) != set(places(theirs[key]))} == {}
    assert {key for key, told in TEXTS.items() if told.strip() and not theirs[key].strip()} == set()


@pytest.mark.parametrize(
    ("address", "cookie", "accepted", "spoken"),
    [("/", "", "", "en"), ("/", "", "de-AT,de;q=0.9,en;q=0.5", "de"), ("/", "", "fr", "en"), ("/", "en", "de", "en"),
     ("/", "de", "en", "de"), ("/?lang=de", "en", "en", "de"), ("/?lang=en", "de", "de", "en"),
     ("/?lang=xx", "de", "en", "de"), ("/", "xx", "", "en")],
)  # fmt: skip
def test_the_address_wins_then_the_cookie_then_the_browser(
    client: FlaskClient, address: str, cookie: str, accepted: str, spoken: str
) -> None:
    client.delete_cookie("radops-lang")
    if cookie:
        client.set_cookie("radops-lang", cookie)
    answer = client.get(address, headers={"Accept-Language": accepted} if accepted else {})
    assert f'<html lang="{spoken}">' in answer.text
    kept = answer.headers.get("Set-Cookie", "")
    assert ("radops-lang" in kept and "SameSite=Lax" in kept) == (address in ("/?lang=de", "/?lang=en"))
    client.delete_cookie("radops-lang")


def test_the_frame_and_the_page_speak_the_language_and_the_thread_forgets_it(client: FlaskClient) -> None:
    german = {"Accept-Language": "de"}
    frame = client.get("/_dash-layout", headers=german).text
    assert "Zeitraum" in frame
    assert "Standort" in frame
    assert "Period" not in frame
    assert "Befundungszeit" in client.get("/view/turnaround?_lang=de").text
    assert language() == "en"
    assert "Turnaround" in client.get("/view/turnaround").text
    assert "Period" in client.get("/_dash-layout").text


def test_a_view_is_kept_for_its_language(store: Store) -> None:
    views = Views(store, gate())
    with speaking("de"):
        german = shown(views)
    english = shown(views)
    assert (german["title"], english["title"]) == ("Befundungszeit · radops", "Turnaround · radops")
    with speaking("de"):
        assert shown(views) == german
    assert views.view(LOCAL, "/turnaround", "", "light", {}) is views.view(LOCAL, "/turnaround", "", "light", {})


@pytest.mark.parametrize("question", ["turnaround.headline", "definitions.metrics", "exams.list", "repeats.flow"])
def test_files_are_the_same_in_every_language(client: FlaskClient, question: str) -> None:
    english, german = (client.get(f"/csv/{question}.csv", headers={"Accept-Language": code}) for code in ("en", "de"))
    assert english.status_code == 200
    assert english.data == german.data


def test_comments_of_the_schema_are_translated(client: FlaskClient) -> None:
    german = client.get("/sql/schema", headers={"Accept-Language": "de"}).get_json()
    english = client.get("/sql/schema").get_json()
    notes, same = ({table["name"]: table for table in told["tables"]} for told in (german, english))
    assert notes["fct_exam"]["note"].endswith("Eine Zeile: Untersuchung.")
    assert same["fct_exam"]["note"].endswith("One row: exam.")
    columns = {column["name"]: column["note"] for column in notes["fct_exam"]["columns"]}
    assert columns["wait_min"] == "Eintreffen bis Untersuchungsbeginn [min]"
    macros = {macro["name"]: macro["note"] for macro in german["macros"]}
    assert macros["metrics.wait"].startswith("Wartezeit. Wie lange")
    pairs = [(column["note"], other["note"]) for name, table in notes.items()
             for column, other in zip(table["columns"], same[name]["columns"], strict=True)]  # fmt: skip
    unchanged = [told for told, other in pairs if " " in other and told == other]
    assert len(unchanged) < 0.1 * len(pairs)
