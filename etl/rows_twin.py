"""Which of the twins makes rows: the one in C (`_rows.c`) where it could be built, else the plain one.

Both give the same answers, and tests hold them to it; they set `KERNEL` to None to ask the plain one. `BUILT` is what
there is; RADOPS_PURE_PYTHON=1 leaves it unused.
"""

from __future__ import annotations

import os
from types import ModuleType

VERSION = 3


def _built() -> ModuleType | None:
    """The extension, unless there is none or one of another version."""
    try:
        from etl import _rows  # noqa: PLC0415 - it may be absent
    except ImportError:  # no compiler where it was installed
        return None
    return _rows if getattr(_rows, "VERSION", 0) == VERSION else None


BUILT = _built()
KERNEL = None if os.environ.get("RADOPS_PURE_PYTHON") else BUILT
