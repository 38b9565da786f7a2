"""Files of which the first part says all: images, whose pixels are not read."""

from __future__ import annotations

from bisect import bisect_left

from etl.deadline import Deadline, TooSlow
from etl.inbox import Candidate, Opened, begun
from etl.records import Parsed
from etl.site import Site
from etl.sources import sniff
from etl.sources.dicom import parse_head
from etl.sources.dicom_series import again

#: Octets of a file that are read before all of it: nearly every image header ends within the first two.
HEADS = (1 << 14, 1 << 15, 1 << 17, 1 << 20)
#: Files of so many octets or fewer are read whole at once.
SMALL_BYTES = 1 << 15
#: Octets of the header that was read last: those of a series are alike, so the next is looked for in as many.
_LAST = [0]


def header_of(candidate: Candidate, site: Site, seconds: float) -> tuple[Parsed, bytes] | None:
    """Records and message of a file of which the first part says all. None: read all of it.

    What is read first depends on the file before, but not what it says. To see that a file is like one before takes no
    time limit: no octet is looked at more than once for each of few images. Raises UnsafeFileError.
    """
    sizes = HEADS[bisect_left(HEADS, _LAST[0]) :]
    _LAST[0] = 0
    file = begun(candidate, sizes[0], again, site)
    if isinstance(file, Opened):
        told = _read_on(file, sizes, site, seconds)
    else:
        (parsed, end), head = file
        told = parsed, head[:end]
    if told is not None:
        _LAST[0] = len(told[1])
    return told


def _read_on(opened: Opened, sizes: tuple[int, ...], site: Site, seconds: float) -> tuple[Parsed, bytes] | None:
    with opened as file:
        size = file.candidate.size
        for most_bytes in sizes:
            head = file.head(most_bytes)
            if sniff(head) != "dicom":
                return None
            try:
                with Deadline(seconds / (len(HEADS) + 1)):
                    told = parse_head(head, size, site, file.part)
            except (TooSlow, Exception):  # noqa: BLE001 - reading all of it says what is wrong
                return None
            if told is not None or (size <= HEADS[-1] and most_bytes >= SMALL_BYTES):
                return told
    return None
