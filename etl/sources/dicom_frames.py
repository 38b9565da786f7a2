"""Enhanced multi-frame: of the starts of its frames only those that can be first or last are kept.

`PER_FRAME` of a data set is then (first start, last start by duration) instead of its items. Where the starts are odd,
its items stay, and each of them is read.
"""

from __future__ import annotations

from typing import Any

from etl.sources.dicom_walk import Dataset

PER_FRAME, FRAME_CONTENT = 0x52009230, 0x00209111  # PS3.3 C.7.6.16.2.2
FRAME_STARTED, FRAME_DURATION = 0x00189074, 0x00189220  # DT; FD in milliseconds
FRAMES = (PER_FRAME, FRAME_CONTENT, FRAME_STARTED, FRAME_DURATION)
#: Durations that are told apart.
MOST_DURATIONS = 8

#: The first start, and the last start of each duration.
Outer = tuple[bytes, dict[Any, bytes]]


def fold(dataset: Dataset) -> None:
    """Put the outer starts in the place of the frames, where they say all."""
    frames: Any = dataset.get(PER_FRAME)
    if frames and (told := outer(frames)):
        put: Any = dataset
        put[PER_FRAME] = told


def outer(frames: list[Dataset]) -> Outer | None:
    """The outer starts; None unless all starts are digits of one length, and of few durations.

    Such starts are in order as octets, and a duration's last start ends last of its duration.
    """
    contents: list[Any] = [content for frame in frames if (content := frame.get(FRAME_CONTENT))]
    if not all(isinstance(content, list) for content in contents):
        return None
    starts: list[tuple[Any, Any]] = [
        (raw, content[0].get(FRAME_DURATION)) for content in contents if (raw := content[0].get(FRAME_STARTED))
    ]
    raws = [raw.rstrip(b" \0") for raw, _ in starts]
    if len({len(raw) for raw in raws}) != 1 or not b"".join(raws).replace(b".", b"").isdigit():
        return None
    last: dict[Any, bytes] = {}
    for raw, (_, lasting) in zip(raws, starts, strict=True):
        if raw > last.get(lasting, b""):
            last[lasting] = raw
    return (min(raws), last) if len(last) <= MOST_DURATIONS else None
