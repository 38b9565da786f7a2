"""The retired snapshot whose room the next one takes: of a large file few blocks change from one night to the next.

Where it is taken, only blocks that differ are written (`etl.copying.renew`); else a copy is made of all. Whoever has it
open reads on undisturbed, as with a removed file: it is then removed and not taken. Hashes of its blocks go with it.
"""

from __future__ import annotations

import os
import sys
from io import FileIO
from pathlib import Path

from etl import block_hashes

#: Under a name that no reader looks for.
NAME = ".spare.duckdb"


def keep(snapshot: Path) -> None:
    """Put a snapshot aside instead of removing it, for its owner alone; one put aside earlier is removed."""
    spare = snapshot.with_name(NAME)
    os.replace(snapshot, spare)
    block_hashes.keep(snapshot, spare)
    spare.chmod(0o600)


def drop(folder: Path) -> None:
    """Remove the spare of a folder, if there is one: its room is needed, or none of its blocks will stay."""
    (folder / NAME).unlink(missing_ok=True)


def take(folder: Path, target: Path) -> bytes | None:
    """Give the spare of a folder the name `target`; returns the hashes of its blocks, empty where they are not known.

    None where there is no spare, or where somebody may still read it.
    """
    spare = folder / NAME
    if not spare.exists():
        return None
    if not _is_nobodys(spare):
        spare.unlink()
        return None
    hashes = block_hashes.told(spare)
    os.replace(spare, target)
    return hashes


def _is_nobodys(spare: Path) -> bool:
    """Whether no process has the file open and no other name leads to it, as far as the system can tell for sure."""
    if sys.platform != "linux":
        return False
    import fcntl  # noqa: PLC0415 - not on every platform
    from signal import SIGURG  # noqa: PLC0415 - imported with it

    try:
        with FileIO(spare, "r+") as file:
            if os.fstat(file.fileno()).st_nlink != 1:  # as a backup of linked files has it
                return False
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)  # readers on other hosts lock it
            fcntl.fcntl(file, fcntl.F_SETSIG, SIGURG)  # who opens it meanwhile must not end this process
            fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_WRLCK)  # refused where another has it open
            fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    except OSError:  # somebody has it, or the system cannot tell: it is removed, and a whole copy is made
        return False
    return True
