"""What people type, made safe to keep: one line of visible signs, of a bounded length."""

from __future__ import annotations

import re
import unicodedata
from secrets import token_hex

from sql.team.store import TeamError

#: Signs of a note, of a name and of an address at most.
NOTE_SIGNS, NAME_SIGNS, ADDRESS_SIGNS = 280, 80, 254
#: Kinds of signs that nobody sees, or that turn the direction of what stands around them.
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
#: What an address may be: RFC 5321 without quoted names and literals, so that no mail server reads it another way.
_ADDRESS = re.compile(
    r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
    r"@[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*"
)
_ID = re.compile(r"[0-9a-f]{16}")


def line(told: str, most: int) -> str:
    """`told` as one line without unseen signs. Raises TeamError where nothing is left or it is too long."""
    seen = "".join(" " if sign.isspace() else sign for sign in told if sign.isspace() or is_seen(sign))
    kept = unicodedata.normalize("NFC", " ".join(seen.split()))
    if not kept:
        raise TeamError("empty")
    if len(kept) > most:
        raise TeamError("long")
    return kept


def is_seen(sign: str) -> bool:
    """Whether a sign is one that a reader sees and that leaves others in their place."""
    return unicodedata.category(sign) not in _UNSEEN


def address(told: str) -> str:
    """An e-mail address, as it may stand in a header. Raises TeamError."""
    kept = told.strip()
    local, _, _ = kept.partition("@")
    if len(kept) > ADDRESS_SIGNS or len(local) > 64 or not _ADDRESS.fullmatch(kept):
        raise TeamError("address")
    return kept


def new_id() -> str:
    """A name for something new that nobody guesses."""
    return token_hex(8)


def known_id(told: object) -> str:
    """An id as `new_id` gives them. Raises TeamError."""
    if not isinstance(told, str) or not _ID.fullmatch(told):
        raise TeamError("gone")
    return told
