"""The language of a request: which one a browser asks for, for that request alone, and what its scripts need of it.

`lang` in an address wins and is kept in a cookie, then the cookie, then what the browser prefers. Scripts name the
language of their page in each request, so that a page stays in one language while another tab changes it.
"""

from __future__ import annotations

import json

from flask import Flask, Request, Response, request

from sql.words import ENGLISH, LANGUAGES, language, speak
from sql.words.dates import MONTHS, SHORT_MONTHS, SHORT_WEEKDAYS, WEEKDAYS

#: What keeps the choice of a browser, and for how many seconds.
COOKIE, KEPT_SECONDS = "radops-lang", 365 * 24 * 3600
#: Key of an address that chooses, and the one with which scripts name their page's language.
CHOICE, SAID = "lang", "_lang"


def chosen(asked: Request) -> str:
    """The language that a request asks for; English where it asks for none that there is."""
    wanted = (asked.args.get(SAID), asked.args.get(CHOICE), asked.cookies.get(COOKIE))
    named = next((code for code in wanted if code in LANGUAGES), None)
    return named or asked.accept_languages.best_match(list(LANGUAGES)) or ENGLISH


def listen(server: Flask) -> None:
    """Take the language of each request of a server before it is answered, and keep the one that an address chose."""

    @server.before_request
    def take() -> None:
        speak(chosen(request))

    @server.after_request
    def keep(answer: Response) -> Response:
        if request.args.get(CHOICE) in LANGUAGES and answer.mimetype == "text/html":
            answer.set_cookie(COOKIE, language(), max_age=KEPT_SECONDS, samesite="Lax", secure=request.is_secure)
        return answer

    @server.teardown_request
    def forget(_: BaseException | None) -> None:
        speak(ENGLISH)


def next_language() -> tuple[str, str]:
    """Code and own name of the language after the present one: what the control in the header leads to."""
    codes = list(LANGUAGES)
    code = codes[(codes.index(language()) + 1) % len(codes)]
    return code, LANGUAGES[code]


def calendar() -> str:
    """Months and weekdays of the language for the browser's calendar and axes, Sunday first, as JSON."""
    code = language()

    def from_sunday(names: tuple[str, ...]) -> list[str]:
        return [names[-1], *names[:-1]]

    return json.dumps(
        {
            "months": MONTHS[code], "shortMonths": SHORT_MONTHS[code], "days": from_sunday(WEEKDAYS[code]),
            "shortDays": from_sunday(SHORT_WEEKDAYS[code]),
        },
        ensure_ascii=False,
    )  # fmt: skip
