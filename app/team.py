"""What the browser's script needs for the team's dialogs: texts, bounds, facilities and modalities to choose."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from dash import html

from app.dom import data
from app.texts import texts
from sql.filters import FILTERS
from sql.team.words import ADDRESS_SIGNS, NAME_SIGNS, NOTE_SIGNS
from sql.words import LANGUAGES

#: Texts of the script stand under this in the catalogue.
_SAID = "team.js."
#: Filters that a note is given by choosing among them; others come from the page.
_CHOSEN = ("facility", "modality")


def root(options: Mapping[str, Sequence[Mapping[str, str]]]) -> html.Div:
    """Where the script puts its dialogs, outside of what a page fills."""
    config = {
        "texts": {key.removeprefix(_SAID): said for key, said in texts().items() if key.startswith(_SAID)},
        "choices": {key: list(options.get(key, ())) for key in _CHOSEN},
        "labels": {item.key: item.label for item in FILTERS},
        "languages": LANGUAGES,
        "signs": {"note": NOTE_SIGNS, "name": NAME_SIGNS, "address": ADDRESS_SIGNS},
    }
    return html.Div(id="team", **data("config", json.dumps(config)))
