"""Every text of the dashboard. English first; another language is another table with the same keys.

Texts of one room of the dashboard stand together in `app/wording/`; a key that is missing is an error, never a blank.
"""

from __future__ import annotations

from app.wording import (
    compared,
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
    ways,
    whatif,
)

TEXTS: dict[str, str] = {
    **compared.TEXTS,
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
    **ways.TEXTS,
    **whatif.TEXTS,
}


class TextError(KeyError):
    """A text that the catalogue does not have; names its key."""


def text(key: str, /, **values: object) -> str:
    """The text of a key with its values put in. Raises TextError."""
    if key not in TEXTS:
        raise TextError(key)
    return TEXTS[key].format(**values) if values else TEXTS[key]
