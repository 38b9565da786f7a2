"""ER7 (HL7 v2 chapter 2): bytes to messages, messages to fields, components, sub-components and repetitions."""

from collections.abc import Iterator

Segment = list[str]


class Message:
    """Segments in order; `segment[n]` is field n of the standard. Delimiters are those of MSH-1 and MSH-2."""

    def __init__(self, text: str) -> None:
        self.bar, marks = text[3], text[4:].split(text[3], 1)[0]
        self.component, self.repetition, self.escape, self.sub = marks[:4]
        lines = [line.split(self.bar) for line in text.split("\r") if line.strip()]
        self.segments: list[Segment] = [["MSH", self.bar, *f[1:]] if f[0] == "MSH" else f for f in lines]

    def repetitions(self, segment: Segment, number: int) -> list[str]:
        return [part for part in "".join(segment[number : number + 1]).split(self.repetition) if part]

    def get(self, segment: Segment, number: int, component: int = 1, sub: int = 1) -> str:
        """Text of one sub-component of the first repetition; '' where it is absent or deleted."""
        return self.part(next(iter(self.repetitions(segment, number)), ""), component, sub)

    def part(self, value: str, component: int, sub: int = 1) -> str:
        subs = [*value.split(self.component), *[""] * component][component - 1].split(self.sub)
        text = [*subs, *[""] * sub][sub - 1]
        return "" if text == '""' else self._unescaped(text).strip()

    def word(self, segment: Segment, number: int, component: int = 1) -> str | None:
        """As `get`, telling the absent field (None: leave what is known) from the deleted one ('')."""
        return self.get(segment, number, component) or ("" if segment[number : number + 1] == ['""'] else None)

    def _unescaped(self, text: str) -> str:
        pieces = text.split(self.escape)
        plain = dict(zip("FSTRE", self.bar + self.component + self.sub + self.repetition + self.escape, strict=True))
        return "".join(plain.get(piece, piece) if place % 2 else piece for place, piece in enumerate(pieces))


def messages(data: bytes) -> Iterator[Message]:
    """The messages of a plain file; line ends may be CR, LF or both."""
    text = data.decode("utf-8").replace("\r\n", "\r").replace("\n", "\r")
    for body in ("\r" + text).split("\rMSH")[1:]:
        yield Message("MSH" + body)
