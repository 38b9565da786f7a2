"""An independent reading of the design: HL7 v2 bytes in, exams, sessions, repeats and metrics out.

Nothing here comes from the product: no SQL, no import of its rooms, no table of its own. It is written from the
design documents alone, in plain Python; where it and the product differ, one of them is wrong.
"""

from tests.oracle.exams import fold
from tests.oracle.facts import Site, read

__all__ = ["Site", "fold", "read"]
