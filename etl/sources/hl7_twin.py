"""Which of the twins reads HL7 v2: the kernel in C (`_hl7.c`) where it could be built, else the plain one.

Both give the same answers, and tests hold them to it; they set `KERNEL` to None to ask the plain one.
"""

from __future__ import annotations

from types import ModuleType

KERNEL: ModuleType | None
try:
    from etl.sources import _hl7 as KERNEL  # noqa: N812 - a name that is set once
except ImportError:  # no compiler where it was installed
    KERNEL = None
