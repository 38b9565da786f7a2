"""Which of the twins makes rows: the one in C (`_rows.c`) where it could be built, else the plain one.

Both give the same answers, and tests hold them to it; they set `KERNEL` to None to ask the plain one. `BUILT` is what
there is; RADOPS_PURE_PYTHON=1 leaves it unused.
"""

from __future__ import annotations

import os
from types import ModuleType

BUILT: ModuleType | None
try:
    from etl import _rows as BUILT  # noqa: N812 - a name that is set once
except ImportError:  # no compiler where it was installed
    BUILT = None

KERNEL = None if os.environ.get("RADOPS_PURE_PYTHON") else BUILT
