"""The language of a request, days and numbers in it, and the table of another language."""

from __future__ import annotations

import threading
from datetime import date, datetime

import pytest

from sql import words, written
from sql.filters import Filters
from sql.planning.change import Change
from sql.words import dates, language, parsed, said, speak, speaking

DAY = date(2026, 3, 7)


def test_a_language_is_spoken_for_a_block_and_no_other_thread() -> None:
    heard: list[str] = []
    with speaking("de"):
        assert language() == "de"
        thread = threading.Thread(target=lambda: heard.append(language()))
        thread.start()
        thread.join()
    assert [language(), *heard] == ["en", "en"]
    for call in (speak, lambda code: speaking(code).__enter__()):
        with pytest.raises(KeyError):
            call("xx")


def test_days_in_words() -> None:
    assert [f(DAY) for f in (dates.day, dates.weekday_day, dates.long_day, dates.month)] == [
        "7 Mar 2026", "Sat 7 Mar 2026", "Saturday 7 March 2026", "March 2026"]  # fmt: skip
    assert dates.day_time(datetime(2026, 3, 7, 4, 5)) == "7 Mar 04:05"
    assert dates.weekday(1) == "Mon"
    with speaking("de"):
        assert [f(DAY) for f in (dates.day, dates.weekday_day, dates.long_day, dates.month)] == [
            "7. März 2026", "Sa, 7. März 2026", "Samstag, 7. März 2026", "März 2026"]  # fmt: skip
        assert dates.day_time(datetime(2026, 3, 7, 4, 5)) == "7.3. 04:05"
        assert dates.weekday(7) == "So"


@pytest.mark.parametrize("table", ["MONTHS", "SHORT_MONTHS", "WEEKDAYS", "SHORT_WEEKDAYS"])
def test_every_language_has_its_calendar(table: str) -> None:
    names = getattr(dates, table)
    assert names.keys() == words.LANGUAGES.keys()
    assert {len(told) for told in names.values()} == {12 if "MONTHS" in table else 7}
    assert all(form.keys() == words.LANGUAGES.keys() for form in (dates.AXIS_DAY, dates.FIELD_DAY))


def test_numbers_have_the_signs_of_the_language() -> None:
    with speaking("de"):
        told = [written.count(-1234.0), written.share(0.0814), written.decimal(1.234), written.value(1.5, "exams/h"),
                written.delta(-0.031, "share"), written.minutes(125)]  # fmt: skip
    plain = [one.replace(written.THIN, " ") for one in told]
    assert plain == ["−1.234", "8,1 %", "1,23", "1,50 Unt./h", "−3,1 PP", "2 h 05"]
    assert written.count(-1234.0) == "−1,234"


def test_the_filters_say_their_sentence_in_the_language() -> None:
    asked = Filters(since=date(2026, 2, 1), until=date(2026, 3, 1), facility=("A", "B"), priority=("stat",),
                    compare="year", scope=("A",))  # fmt: skip
    called = {"stat": "Notfall"}
    with speaking("de"):
        assert asked.sentence(named=lambda _, value: called.get(value, value)) == (
            "1. Feb. 2026 bis 28. Feb. 2026, Standort A oder B, Priorität Notfall, innerhalb von A, verglichen mit dem "
            "Jahr davor.")  # fmt: skip
        assert Filters(scope=()).sentence() == "Alle Tage, innerhalb von keinem Standort."
        assert Change.parse("add_reader:hours=17-22,weekdays=12345").sentence() == (
            "Ein Befunder mehr 17 bis 22 Uhr werktags")  # fmt: skip
    assert asked.sentence().startswith("From 1 Feb 2026 to 28 Feb 2026, at A or B")


def test_a_text_without_a_translation_stays_english() -> None:
    with speaking("de"):
        assert said("nobody has translated this") == "nobody has translated this"
        assert said("from {first} to {last}", first=1, last=2) == "1 bis 2"


def test_a_table_is_read_line_by_line() -> None:
    assert parsed('# note\nmsgid "a \\"b\\""\nmsgstr "ä"\n\nmsgid ""\nmsgstr "Language: de"\n') == {'a "b"': "ä"}
    for wrong in ("text", 'msgid "a"\nmsgstr "b"\nmsgid "a"\nmsgstr "c"', 'msgid "a"\n"more"'):
        with pytest.raises(ValueError, match=r"line|Expecting"):
            parsed(wrong)
