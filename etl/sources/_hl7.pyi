"""What `_hl7.c` makes."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from etl.sources.hl7_dialect import Plan, Segment
from etl.sources.hl7_text import Delimiters
from etl.timestamps import Stamp

def openings(data: bytes, /) -> tuple[list[int], bool]: ...
def spans(data: bytes, /) -> list[tuple[int, int]] | None: ...

VERSION: int
MAX_PARTS: int
MAX_REPETITIONS: int
MAX_FIELDS: int
MAX_SEGMENTS: int

class Kernel:
    def __new__(
        cls,
        marks: Delimiters,
        unescape: Callable[[str], str],
        split: Callable[[str, int], tuple[list[tuple[str, Segment]], int]],
        wanted: Iterable[str],
        no_segment: Segment,
        stamp: type[Stamp],
        /,
    ) -> Kernel: ...
    def text(self, component: str, subcomponent: int = 1, /) -> str: ...
    def part(self, field: str, component: int, subcomponent: int = 1, /) -> str: ...
    def texts(self, field: str, /) -> tuple[str, ...]: ...
    def components(self, field: str, /) -> list[str]: ...
    def repetitions(self, field: str, /) -> list[str]: ...
    def message(self, data: bytes, /) -> list[tuple[str, Segment]] | None: ...
    def split(self, text: str, start: int, /) -> tuple[list[tuple[str, Segment]], int]: ...
    def read(self, message: Any, segments: Mapping[str, Segment], plan: Plan, /) -> dict[str, Any]: ...
