"""The fingerprint of code: what has it is asked, built and told alike."""

from __future__ import annotations

import hashlib
import sys
from importlib.metadata import version
from pathlib import Path


def fingerprint(folder: Path) -> str:
    """SHA-256 over all code, statements and tables below a folder, and the versions of what runs them."""
    digest = hashlib.sha256(f"{sys.version} {version('sqlglot')} {version('duckdb')}".encode())
    paths = [path for path in folder.rglob("*") if path.suffix in (".py", ".sql", ".csv") and path.is_file()]
    for path in sorted(paths):
        body = path.read_bytes()
        digest.update(f"\0{path.relative_to(folder).as_posix()}\0{len(body)}\0".encode() + body)
    return digest.hexdigest()
