"""Numbers and days as standards write them: in ASCII; Python reads more (`1_000`, digits of other scripts)."""

from __future__ import annotations

from datetime import date

#: What a number of a source is below: beyond it stand octets that are no number, not measures.
MOST = 1e12


def decimal(text: str) -> float | None:
    """The number of an NM (HL7 2A.3.47), DS or IS (PS3.5 6.2) or FHIR decimal, blanks around it left out; None where it
    is none, or too large."""
    text = text.strip()
    try:
        value = float(text) if text.isascii() and "_" not in text else None
    except ValueError:
        return None
    return value if value is not None and abs(value) < MOST else None


def day(text: str) -> date | None:
    """The day of a DT (HL7 2A.3.21, YYYYMMDD) or DA (PS3.5 6.2); None where it is none."""
    if len(text) != 8 or not (text.isascii() and text.isdigit()):
        return None
    try:
        return date(int(text[:4]), int(text[4:6]), int(text[6:]))
    except ValueError:
        return None
