"""Colours and type, once: for Mantine, for figures, and (as CSS variables) for the style sheet.

Series colours keep their order for readers with deuteranopia, protanopia and tritanopia (after Okabe and Ito, 2008);
better and worse are told by blue and orange and always by a sign too.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

FONT = 'system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "Liberation Sans", "DejaVu Sans", sans-serif'
MONO = 'ui-monospace, "SF Mono", Menlo, Consolas, "Liberation Mono", "DejaVu Sans Mono", monospace'


@dataclass(frozen=True, slots=True)
class Palette:
    """The colours of one scheme."""

    ground: str
    surface: str
    raised: str
    line: str
    grid: str
    ink: str
    muted: str
    accent: str
    better: str
    worse: str
    target: str
    band: str
    series: tuple[str, ...]
    scale: tuple[str, ...]  # low to high


LIGHT = Palette(
    ground="#f4f6f8", surface="#ffffff", raised="#f8fafb", line="#dfe5ea", grid="#e9edf1", ink="#15212c",
    muted="#566472", accent="#1c6a96", better="#1c6a96", worse="#b4500f", target="#8a5a00", band="#e8eef3",
    series=("#1c6a96", "#d9822b", "#138a72", "#8b5fa8", "#8a94a0", "#b8475a", "#6f7d1f", "#4a4f8c"),
    scale=("#f3f7fa", "#cfe0ea", "#9cc2d6", "#5f9dbd", "#2d769d", "#134c6b"),
)  # fmt: skip
DARK = Palette(
    ground="#0f151b", surface="#171f27", raised="#1d2630", line="#2b3742", grid="#26313b", ink="#e7edf2",
    muted="#9aa8b5", accent="#62b0dc", better="#62b0dc", worse="#f0954f", target="#e0b354", band="#212d38",
    series=("#62b0dc", "#f0a35a", "#3fbf9f", "#b992d6", "#97a3af", "#e27d8d", "#b3c04f", "#8f95d9"),
    scale=("#1b252e", "#20435a", "#27607f", "#3a86ab", "#6fb3d2", "#c4e3f2"),
)  # fmt: skip
PALETTES = {"light": LIGHT, "dark": DARK}

#: Mantine's own palette of ten shades, around the accent.
#: Its greys of the dark scheme (text, placeholder, border, hover, field, surface), in ours.
_DARK = [DARK.ink, "#c3cdd6", DARK.muted, DARK.muted, DARK.line, DARK.grid, DARK.raised, DARK.surface, DARK.ground,
         "#0b1015"]  # fmt: skip
_SHADES = ["#eaf4fa", "#d5e6f1", "#a7cce3", "#76b0d4", "#4f98c7", "#3689bf", "#2a7fb6", "#1c6a96", "#155a82", "#0a4768"]
MANTINE: dict[str, Any] = {
    "primaryColor": "radops",
    "primaryShade": {"light": 7, "dark": 4},
    "colors": {"radops": _SHADES, "dark": _DARK},
    "fontFamily": FONT,
    "fontFamilyMonospace": MONO,
    "headings": {"fontFamily": FONT, "fontWeight": "650"},
    "defaultRadius": "sm",
    "fontSizes": {"xs": "0.75rem", "sm": "0.84rem", "md": "0.92rem", "lg": "1.05rem", "xl": "1.25rem"},
    "components": {
        "Select": {"defaultProps": {"size": "xs"}},
        "MultiSelect": {"defaultProps": {"size": "xs"}},
        "DatePickerInput": {"defaultProps": {"size": "xs"}},
        "Button": {"defaultProps": {"size": "xs"}},
    },
}


def css_variables() -> str:
    """The palettes as custom properties, by Mantine's colour scheme attribute; on paper the light one."""
    names = [name for name in Palette.__dataclass_fields__ if name not in ("series", "scale")]
    blocks = []
    for scheme, palette in PALETTES.items():
        pairs = [f"--{name}:{getattr(palette, name)}" for name in names]
        pairs += [f"--series-{number}:{colour}" for number, colour in enumerate(palette.series)]
        also = ":root.is-wall," if scheme == "dark" else ""  # a wall display is dark for everybody
        blocks.append(f'{also}:root[data-mantine-color-scheme="{scheme}"]{{{";".join(pairs)}}}')
    on_paper = ";".join(f"--{name}:{getattr(LIGHT, name)}" for name in names)
    blocks.append(f"@media print{{:root[data-mantine-color-scheme]{{{on_paper}}}}}")
    return "\n".join([*blocks, f":root{{--font:{FONT};--mono:{MONO}}}"])
