"""Every text of the dashboard. English first; another language is another table with the same keys (`app/wording/de`).

Texts of one room of the dashboard stand together in `app/wording/`; a key that is missing is an error, never a blank.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import import_module
from pkgutil import iter_modules

from app.wording import (
    admin,
    answers,
    compared,
    craft,
    figures,
    findings,
    forecast,
    known,
    live,
    mappings,
    notes,
    pages,
    parts,
    questions,
    reports,
    sqlpage,
    values,
    ways,
    whatif,
)
from sql.words import ENGLISH, language

TEXTS: dict[str, str] = {
    **admin.TEXTS,
    **answers.TEXTS,
    **compared.TEXTS,
    **craft.TEXTS,
    **figures.TEXTS,
    **findings.TEXTS,
    **forecast.TEXTS,
    **known.TEXTS,
    **live.TEXTS,
    **mappings.TEXTS,
    **notes.TEXTS,
    **pages.TEXTS,
    **parts.TEXTS,
    **questions.TEXTS,
    **reports.TEXTS,
    **sqlpage.TEXTS,
    **values.TEXTS,
    **ways.TEXTS,
    **whatif.TEXTS,
}


class TextError(KeyError):
    """A text that the catalogue does not have; names its key."""


@cache
def table(code: str) -> Mapping[str, str]:
    """The texts of a language by key, read when somebody asks for it; a key that it lacks is in English."""
    if code == ENGLISH:
        return TEXTS
    room = import_module(f"app.wording.{code}")
    found: dict[str, str] = dict(TEXTS)
    for module in iter_modules(room.__path__):
        found |= import_module(f"{room.__name__}.{module.name}").TEXTS
    return found


def texts() -> Mapping[str, str]:
    """The texts of the request's language by key."""
    return table(language())


def text(key: str, /, **values: object) -> str:
    """The text of a key in the language of the request, with its values put in. Raises TextError."""
    told = texts().get(key)
    if told is None:
        raise TextError(key)
    return told.format(**values) if values else told
