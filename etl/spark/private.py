"""The macros that a build makes of its key and its settings, in Spark's words.

The key stands in the statements that executors run: nobody but the workers of this build may read them, so the page and
the event log of Spark stay off, and an error of Spark is never passed on with its text.
"""

from __future__ import annotations

from etl.pseudonym import BLOCK, DIGITS
from sql.macros import Macro


def private_macros(key: bytes, *, publish_accession: bool, publish_names: bool) -> tuple[Macro, ...]:
    """`keyed`, `published_accession` and `published_name`, each equal to the macro of the same name in DuckDB."""
    padded = key.ljust(BLOCK, b"\0")
    inner, outer = (bytes(octet ^ pad for octet in padded).hex() for pad in (0x36, 0x5C))
    message = "encode(concat(kind, chr(31), value), 'UTF-8')"
    hashed = f"sha2(concat(unhex('{outer}'), unhex(sha2(concat(unhex('{inner}'), {message}), 256))), 256)"
    return (
        Macro("keyed", (("kind", "STRING"), ("value", "STRING")), "STRING", "", f"substr({hashed}, 1, {DIGITS})"),
        Macro("published_accession", (("accession", "STRING"),), "STRING", "",
              "accession" if publish_accession else "keyed('accession', accession)"),
        Macro("published_name", (("person", "STRING"),), "STRING", "",
              "person" if publish_names else "CAST(NULL AS STRING)"),
    )  # fmt: skip
