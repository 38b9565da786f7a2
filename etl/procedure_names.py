"""What a procedure name says: modality, region, focus, laterality, contrast, views, guidance, subject.

The words are tables, one a language (`reference/procedure_words_<language>.csv`: phrase, attribute, value), all in
force at once. The attribute `word` rewrites a phrase to the words of the only grammar in code, that of contrast and of
view counts (`with`, `without`, `contrast`, `iv`, `oral`, `perhaps`, `views`). `implied_<attribute>` counts where the
name does not say the attribute itself (`implied_contrast_CT`: in a CT), `doubt` wants an attribute said elsewhere,
`beam` and `position` are projections that add up to a count of views.
"""

from __future__ import annotations

import csv
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

REFERENCE = Path(__file__).parent / "reference"
#: Modalities whose contrast use must be said before a name may match.
CONTRAST_MATTERS = frozenset({"CT", "MR"})
#: Punctuation that means something, unfolded to words before all other punctuation is dropped.
_SIGNS = tuple(
    (re.compile(pattern), meaning)
    for pattern, meaning in (
        (r"\br\s*/\s*o\b", " rule out "),
        (r"\bb\s*/\s*l\b", " bilateral "),
        (r"\+\s*/\s*-", " perhaps "),
        (r"\bc\s*\+\s*[/&]?\s*c?\s*-", " wwo "),
        (r"\bc\s*-\s*[/&]?\s*c?\s*\+", " wwo "),
        (r"\bc\s?\+|(?<!\w)\+\s?c\b", " with contrast "),
        (r"\bc-(?=\s|$|\))(?!\s*sp)|(?<!\w)-c(?=\s*(?:$|\)))", " without contrast "),
        (r"\bw\s*/\s*wo\b|\bw\s*(?:/|&|\+)\s*w\s*/?\s*o\b", " wwo "),
        (r"\bw\s*/\s*o\b", " wo "),
        (r"(\d)\s*\+", r" \1 or more "),
        (r"(?:>=|>/=)\s*(\d)", r" min \1 "),
        (r"\b(\d)\s*(?:-|/)\s*(\d)(?=\s*v)", r" \1 to \2 "),
        (r"[&+]", " and "),
    )
)
_AGENT = r"(?: (?:iv|contrast))"
_ORAL = r"(?:with |without |no )oral\b(?: contrast\b)?"
_JOINED = r"(?:and |then |followed by )?"
#: Contrast phrases, tried in order; the words around them decide, so "with 3D" says nothing about contrast.
_CONTRAST = tuple(
    (value, re.compile(rf"\b(?:{pattern})"))
    for value, pattern in (
        ("?", r"perhaps\b(?: (?:iv|contrast)\b)*"),
        # Oral beside intravenous: the intravenous one counts, and what is said of both is said of it.
        ("", r"oral (?:and |or )?(?=iv\b)|(?<=\biv )(?:and |or )?oral\b|(?<=with )oral contrast and (?=iv\b)"),
        ("", rf"{_ORAL}(?: and)?(?= (?:with|without) iv\b)|(?:(?<=\biv )|(?<=\biv contrast ))(?:and )?{_ORAL}"),
        ("?", r"(?:with |without )?oral\b(?: contrast)?"),  # oral only: left to a person
        ("WWO", rf"with{_AGENT}* {_JOINED}without\b{_AGENT}*|without{_AGENT}* {_JOINED}with\b{_AGENT}*"),
        ("WO", rf"without\b(?:{_AGENT}+|$)"),
        ("W", rf"with(?:{_AGENT}+|$)|(?:iv )?contrast\b"),
    )
)  # fmt: skip
_MORE = r" (?:or|and) (?:more|greater|above)"
_VIEWS = re.compile(
    rf"\b(?P<least>min(?:imum)?(?: of)? )?(?P<low>\d)(?: (?:to|or) (?P<high>\d))?(?P<open>{_MORE})? ?views?\b"
    rf"(?P<after>{_MORE}| min(?:imum)?\b)?"
)
_SIDE = {"LT": "L", "LEFT": "L", "RT": "R", "RIGHT": "R", "BIL": "B", "BILAT": "B", "BILATERAL": "B"}
_CODE_SIDE = re.compile(rf"[-_. ]({'|'.join(_SIDE)})$", re.IGNORECASE)

Meanings = tuple[tuple[str, str], ...]


@dataclass(slots=True)
class Attributes:
    """What a name says. Empty means: not said."""

    modality: str = ""
    regions: set[str] = field(default_factory=set)
    foci: set[str] = field(default_factory=set)
    laterality: str = ""
    contrast: str = ""
    views: str = ""
    guidance: str = ""
    subject: str = ""
    is_contradictory: bool = False
    unknown: list[str] = field(default_factory=list)

    def words(self) -> str:
        """What is said, in words of the tables only: `CT HEAD L WO 3 views BIOPSY`."""
        views = f"{self.views} {'view' if self.views == '1' else 'views'}" if self.views else ""
        parts = (self.modality, *sorted(self.regions), *sorted(self.foci), self.laterality, self.contrast, views,
                 self.guidance, self.subject)  # fmt: skip
        return " · ".join(part for part in parts if part)


@dataclass(slots=True)
class _Aside:
    """Said by the way: implied values, open questions, projections and positions that make up views."""

    implied: dict[str, str] = field(default_factory=dict)
    doubts: set[str] = field(default_factory=set)
    beams: set[str] = field(default_factory=set)
    positions: set[str] = field(default_factory=set)


def rows(path: Path) -> Iterator[dict[str, str]]:
    """Rows of a CSV file with a header line."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        yield from csv.DictReader(file)


def _plain(text: str) -> str:
    """Lower case without accents."""
    return "".join(c for c in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(c))


@lru_cache(maxsize=1)
def words() -> tuple[dict[tuple[str, ...], Meanings], dict[tuple[str, ...], tuple[str, ...]]]:
    """Phrases with their meanings, and phrases with the words that they are rewritten to, of all languages."""
    meanings: dict[tuple[str, ...], Meanings] = {}
    rewritten: dict[tuple[str, ...], tuple[str, ...]] = {}
    for path in sorted(REFERENCE.glob("procedure_words_*.csv")):
        of_language: dict[tuple[str, ...], list[tuple[str, str]]] = {}
        for row in rows(path):
            phrase = tuple(_plain(row["phrase"]).split())
            if row["attribute"] == "word":
                rewritten.setdefault(phrase, tuple(row["value"].split()))
            else:
                of_language.setdefault(phrase, []).append((row["attribute"], row["value"]))
        for phrase, meaning in of_language.items():
            meanings.setdefault(phrase, tuple(meaning))
    return meanings, rewritten


@lru_cache(maxsize=1)
def vocabulary() -> tuple[str, ...]:
    """Every word of the phrases that mean something."""
    meanings, _ = words()
    return tuple(sorted({word for phrase in meanings for word in phrase if len(word) > 2}))


def _phrases(line: list[str], known: dict[tuple[str, ...], object]) -> Iterator[tuple[str, ...]]:
    """The longest known phrases from left to right; a word that begins none stands alone."""
    longest = max(map(len, known))
    at = 0
    while at < len(line):
        sizes = range(min(longest, len(line) - at), 0, -1)
        size = next((n for n in sizes if tuple(line[at : at + n]) in known), 1)
        yield tuple(line[at : at + size])
        at += size


def normalize(text: str) -> str:
    """Lower-case words with single blanks, signs such as `W/O` unfolded, synonyms of the grammar's words rewritten."""
    line = _plain(text)
    for pattern, meaning in _SIGNS:
        line = pattern.sub(meaning, line)
    line = re.sub(r"(\d) ?(?:vws?|v|views?)\b", r"\1 views", re.sub(r"[^a-z0-9]+", " ", line))
    _, rewritten = words()
    return " ".join(w for phrase in _phrases(line.split(), {**rewritten}) for w in rewritten.get(phrase, phrase))


def parse_name(text: str, code: str = "") -> Attributes:
    """Attributes that a name states; a side spelled at the end of the local `code` (`KNEE3-LT`) counts as said."""
    said, aside = Attributes(), _Aside()
    line = _take_views(said, _take_contrast(said, normalize(text)))
    meanings, _ = words()
    for phrase in _phrases(line.split(), {**meanings}):
        for attribute, value in meanings.get(phrase, (("unknown", phrase[0]),)):
            _say(said, aside, attribute, value)
    side = _CODE_SIDE.search(code.strip())
    if side is not None:
        _say(said, aside, "laterality", _SIDE[side.group(1).upper()])
    _settle(said, aside)
    return said


def _take_contrast(said: Attributes, line: str) -> str:
    """Note the contrast that `line` states and return it without that phrase; two different ones contradict."""
    for value, pattern in _CONTRAST:
        if pattern.search(line) is None:
            continue
        said.is_contradictory |= value == "?" or (value != "" and said.contrast not in ("", value))
        said.contrast = value.strip("?") or said.contrast
        line = " ".join(pattern.sub(" ", line).split())
    return line


def _take_views(said: Attributes, line: str) -> str:
    """Note the count of views as `3`, `1-2` or `4+`; two different counts contradict."""
    for found in _VIEWS.finditer(line):
        is_open = found["least"] or found["open"] or found["after"]
        views = found["low"] + ("+" if is_open else f"-{found['high']}" if found["high"] else "")
        said.is_contradictory |= said.views not in ("", views)
        said.views = views
    return " ".join(_VIEWS.sub(" ", line).split())


def _say(said: Attributes, aside: _Aside, attribute: str, value: str) -> None:
    sets = {
        "region": said.regions, "focus": said.foci, "beam": aside.beams, "position": aside.positions,
        "doubt": aside.doubts,
    }  # fmt: skip
    if attribute in sets:
        sets[attribute].add(value)
    elif attribute == "unknown":
        said.unknown.append(value)
    elif attribute.startswith("implied_"):
        aside.implied.setdefault(attribute.removeprefix("implied_"), value)
    elif attribute != "neutral":
        before = getattr(said, attribute)
        said.is_contradictory |= before not in ("", value)
        setattr(said, attribute, value)


def _settle(said: Attributes, aside: _Aside) -> None:
    """Fill what is only implied; the projections named count as views, else the positions (supine and upright)."""
    shown = len(aside.beams) or len(aside.positions)
    if shown and not said.views:
        said.views = str(shown)
    implied = aside.implied
    said.modality = said.modality or implied.get("modality", "")
    for attribute in ("laterality", "views", "guidance"):
        setattr(said, attribute, getattr(said, attribute) or implied.get(attribute, ""))
    if said.modality in CONTRAST_MATTERS or not said.modality:
        said.contrast = said.contrast or implied.get("contrast", "") or implied.get(f"contrast_{said.modality}", "")
    for spoken, attribute in ((said.regions, "region"), (said.foci, "focus")):
        if not spoken and attribute in implied:
            spoken.add(implied[attribute])
    said.is_contradictory |= any(not getattr(said, attribute) for attribute in aside.doubts)
