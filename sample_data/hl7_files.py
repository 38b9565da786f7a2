"""Messages into files: sorted by arrival, a file for a few hours of a facility, framed in the ways that senders frame.

Only one day is held at a time.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from zlib import crc32

from sample_data.emit_hl7 import Sent
from sample_data.hl7_noise import laboratory_at, noise_of
from sample_data.spool import Spool

Quarantine = Callable[[str, int, str], None]
Laboratory = Callable[[datetime], None]
Form = Callable[[list[bytes], str], bytes]


def _batch(messages: list[bytes], name: str) -> bytes:
    head = f"FHS|^~\\&|ENGINE|NET|RADOPS|NET||||{name}\rBHS|^~\\&|ENGINE|NET|RADOPS|NET\r".encode()
    return head + b"".join(messages) + f"BTS|{len(messages)}\rFTS|1\r".encode()


def _framed(messages: list[bytes], name: str) -> bytes:
    return b"".join(b"\x0b" + message + b"\x1c\r" for message in messages)


def _plain(messages: list[bytes], name: str) -> bytes:
    return b"".join(messages)


def _lines(messages: list[bytes], name: str) -> bytes:
    return b"".join(messages).replace(b"\r", b"\n")


def _both(messages: list[bytes], name: str) -> bytes:
    return b"".join(messages).replace(b"\r", b"\r\n")


#: How files are framed: one of these 20 by the file's name.
FORMS: list[Form] = [*[_plain] * 10, *[_batch] * 3, *[_framed] * 3, *[_lines] * 2, *[_both] * 2]


class Hl7Files:
    """Collects messages by `add`, writes all files at `close`. `hours` is what one file covers."""

    def __init__(self, folder: Path, facilities: list[str], *, hours: int) -> None:
        self.folder, self.facilities, self.hours = folder, facilities, hours
        self.spool = Spool(folder / ".spool")

    def add(self, sent: Sent) -> None:
        """Take one message."""
        self.spool.add(sent.at, self.facilities.index(sent.facility), sent.data)

    def close(self, quarantine: Quarantine, laboratory: Laboratory) -> int:
        """Write the files day by day and return the number of messages.

        Unusable ones are told to `quarantine`, the wall clock of each laboratory result to `laboratory`.
        """
        written = 0
        for day, items in self.spool.days():
            blocks: dict[tuple[int, int], list[bytes]] = defaultdict(list)
            for second, facility, data in items:
                blocks[facility, second % 86400 // (self.hours * 3600)].append(data)
            for (facility, block), messages in blocks.items():
                at = day + timedelta(hours=block * self.hours)
                name = f"{self.facilities[facility]}/{at:%Y%m%d/%H}.hl7"
                result_at = laboratory_at(crc32(name.encode()), self.facilities[facility], at)
                if result_at is not None:
                    laboratory(result_at)
                written += self._write(self.facilities[facility], at, name, messages, quarantine)
        return written

    def _write(self, facility: str, at: datetime, name: str, messages: list[bytes], quarantine: Quarantine) -> int:
        key = crc32(name.encode())
        form = FORMS[key % len(FORMS)]
        messages, bad = noise_of(key, facility, at, messages, is_framed=form is _framed)
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(form(messages, name))
        for position, reason in bad:
            quarantine(f"hl7/{name}", position, reason)
        return len(messages)
