"""Files of which the first part says all: images, whose pixels are not read."""

from __future__ import annotations

from bisect import bisect_left

from etl.deadline import Deadline, TooSlow
from etl.inbox import Candidate, Fetch, Opened, begun
from etl.records import Parsed
from etl.site import Site
from etl.sources import sniff
from etl.sources.dicom import parse_head
from etl.sources.dicom_series import again

#: Octets of a file that are read before all of it: nearly every image header ends within the first two.
HEADS = (1 << 14, 1 << 15, 1 << 17, 1 << 20)
#: Files of so many octets or fewer are read whole at once.
SMALL_BYTES = 1 << 15
#: How much is read of the next file, first and then: headers of a series are alike.
_SIZES: list[tuple[int, ...]] = [HEADS]


def header_of(candidate: Candidate, site: Site, seconds: float) -> tuple[Parsed, bytes] | None:
    """Records and message of a file of which the first part says all. None: read all of it.

    What is read first depends on the file before, but not what it says. Raises UnsafeFileError.
    """
    sizes, _SIZES[0] = _SIZES[0], HEADS
    try:
        file = begun(candidate, sizes[0], _told, (site, seconds))
        found = _read_on(file, sizes, (site, seconds)) if isinstance(file, Opened) else file
    except TooSlow:
        return None
    if found is None:
        return None
    (parsed, end), head = found
    if end > HEADS[0]:
        _SIZES[0] = HEADS[bisect_left(HEADS, end) :]
    return parsed, head[:end]


def _told(head: bytes, size: int, given: tuple[Site, float], fetch: Fetch) -> tuple[Parsed, int] | None:
    """Records of a file of `size` octets and where its header ends; None where `head` does not say all.

    To see that a file is like one before takes no time limit: no octet is looked at more than once for each of a few.
    """
    site, seconds = given
    if (told := again(head, size, site, fetch)) is not None:
        return told
    with Deadline(seconds / (len(HEADS) + 1)):
        return parse_head(head, size, site, fetch)


def _read_on(
    opened: Opened, sizes: tuple[int, ...], given: tuple[Site, float]
) -> tuple[tuple[Parsed, int], bytes] | None:
    """As `begun`, of a file whose octets `opened.first` do not say all, or that was not asked yet."""
    with opened as file:
        size = file.candidate.size
        for most_bytes in sizes:
            head = file.head(most_bytes)
            if sniff(head) != "dicom":
                return None
            try:
                told = None if head is file.first else _told(head, size, given, file.part)
            except Exception:  # noqa: BLE001 - reading all of it says what is wrong
                return None
            if told is not None:
                return told, head
            if size <= HEADS[-1] and most_bytes >= SMALL_BYTES:
                return None
    return None
