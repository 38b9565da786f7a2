"""Keyed pseudonyms: HMAC-SHA-256 under a key that stays outside every database.

A pseudonym is the first 24 hex digits of HMAC-SHA-256(key, kind + US + value), so the same identifier gives the
same pseudonym for as long as the key lives and nobody without the key can test a guess. The engine computes the
same function inside SQL as the macro `keyed(kind, value)`.
"""

from __future__ import annotations

import hmac
import os
import stat
from pathlib import Path

DIGITS = 24
BLOCK = 64  # octets of a SHA-256 block, FIPS 198-1
KEY_OCTETS = 32


class BadKey(RuntimeError):
    """The key file cannot be used; the message names the file and the fix, never the key."""


def keyed(key: bytes, kind: str, value: str) -> str:
    """Pseudonym of `value` as a `kind` ("patient", "exam", "actor", ...), 24 hex digits."""
    return hmac.digest(key, f"{kind}\x1f{value}".encode(), "sha256").hex()[:DIGITS]


def keyed_macro(key: bytes) -> str:
    """SQL that creates the temporary macro `keyed(kind, value)`, equal to `keyed` above; NULL for NULL."""
    padded = key.ljust(BLOCK, b"\0")
    inner = bytes(octet ^ 0x36 for octet in padded).hex()
    outer = bytes(octet ^ 0x5C for octet in padded).hex()
    message = "encode(kind || chr(31) || value)"
    return (
        "CREATE OR REPLACE TEMP MACRO keyed(kind, value) AS "
        f"substr(sha256(unhex('{outer}') || unhex(sha256(unhex('{inner}') || {message}))), 1, {DIGITS})"
    )


def load_key(path: Path) -> bytes:
    """The key of `path` (32 octets as hex), created with mode 0600 where the file does not exist.

    Raises BadKey where others may read the file or its content is no key.
    """
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        pass
    else:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(os.urandom(KEY_OCTETS).hex() + "\n")
            file.flush()
            os.fsync(file.fileno())
    if stat.S_IMODE(path.stat().st_mode) & 0o077:
        raise BadKey(f"{path}: others may read the pseudonym key; run: chmod 600 {path}")
    try:
        key = bytes.fromhex(path.read_text("ascii").strip())
    except ValueError as error:
        raise BadKey(f"{path}: not a pseudonym key (hex digits expected)") from error
    if len(key) < KEY_OCTETS:
        raise BadKey(f"{path}: pseudonym key shorter than {KEY_OCTETS} octets")
    return key
