"""What a page's script sends: one JSON object of a bounded size."""

from __future__ import annotations

import json
from typing import Any

from flask import request


def posted(most: int) -> dict[str, Any]:
    """The request's JSON object, `{}` where nothing was sent. Raises ValueError for others, or over `most` bytes."""
    if (request.content_length or 0) > most:
        raise ValueError("too large")
    request.max_content_length = most
    found = json.loads(request.get_data() or b"{}")
    if not isinstance(found, dict):
        raise ValueError("not an object")
    return found
