"""What happens when an answer fails: the page says so and keeps what it showed; the log says what and where.

The log names type and place only, because the text of an exception may quote a value.
"""

from __future__ import annotations

import logging
import traceback
from pathlib import Path

from dash import html, set_props

from app.icons import icon
from app.texts import text

LOG = logging.getLogger("radops.app")


def told(error: BaseException) -> str:
    """Type of an error and the places it came through in our own code, nearest last."""
    room = str(Path(__file__).parents[1])
    ours = [
        f
        for f in traceback.extract_tb(error.__traceback__)
        if f.filename.startswith(room) and ".venv" not in f.filename
    ]
    return f"{type(error).__name__} at {'; '.join(f'{Path(f.filename).name}:{f.lineno}' for f in ours[-4:])}"


def on_error(error: Exception) -> None:
    """Dash's handler for a callback that failed: outputs stay as they are, the banner says that they are old."""
    LOG.error("a callback failed: %s", told(error))
    set_props("banner", {"children": banner()})


def banner() -> html.Div:
    """The words for a reader."""
    return html.Div([icon("alert", 16), html.Span(text("shell.failed"))], className="banner", role="alert")
