"""Numbers as people read them, with their unit: the same on a page, in a sentence and in the printed report.

Decimal and thousands signs follow the language of the request; the pack's is English, so its bytes stay the same.
"""

from __future__ import annotations

from collections.abc import Callable

from sql.words import language, said

NO_VALUE = "–"
THIN = "\u202f"  # narrow no-break space between a number and its unit
#: Language -> what stands for the English signs within a number.
_SIGNS = {"en": str.maketrans({"-": "−"}), "de": str.maketrans({"-": "−", ",": ".", ".": ","})}


def signs(number: str) -> str:
    """A number in English signs with those of the language of the request, and a true minus."""
    return number.translate(_SIGNS[language()])


def minutes(value: float) -> str:
    """A length in minutes, in the two units that matter: 42 min, 3 h 05, 2 d 4 h."""
    sign, whole = ("−" if value < -0.5 else ""), round(abs(value))
    if whole < 90:
        return f"{sign}{whole}{THIN}min"
    if whole < 48 * 60:
        return f"{sign}{whole // 60}{THIN}h{THIN}{whole % 60:02d}"
    days, hours = divmod(round(whole / 60), 24)
    return f"{sign}{days}{THIN}d" + (f"{THIN}{hours}{THIN}h" if hours else "")


def share(value: float) -> str:
    """A share of one as per cent; what rounds to nothing has no sign."""
    return signs(f"{value * 100:z.1f}{THIN}%")


def count(value: float) -> str:
    """A whole number with thousands apart."""
    return signs(f"{value:z,.0f}")


def decimal(value: float) -> str:
    """A number with two decimals below ten, one below a hundred, none from there on."""
    digits = 2 if abs(value) < 10 else 1 if abs(value) < 100 else 0
    return signs(f"{value:z,.{digits}f}")


def hours(value: float) -> str:
    """A length in hours."""
    return minutes(value * 60)


def day_lengths(value: float) -> str:
    """A length given in days, in the units that matter."""
    return minutes(value * 1440)


#: Unit of a metric -> its writer. What is not listed is a decimal with its unit.
UNITS: dict[str, Callable[[float], str]] = {
    "min": minutes, "share": share, "exams": count, "reads": count, "h": hours, "d": day_lengths, "images": count,
}  # fmt: skip


def value(number: float | None, unit: str) -> str:
    """A metric's value with its unit; a dash where there is none."""
    if number is None:
        return NO_VALUE
    return UNITS[unit](number) if unit in UNITS else f"{decimal(number)}{THIN}{said(unit)}"


#: Part of the earlier value from which a change of what is counted in full (no interval) is told.
NOTEWORTHY = 0.1


def is_told(change: float | None, unit: str) -> bool:
    """Whether there is a change that does not round to nothing."""
    return change is not None and delta(change, unit)[0] in "+−"


def delta(number: float | None, unit: str) -> str:
    """A change with its sign, which what rounds to nothing does not have; shares in points."""
    if number is None:
        return NO_VALUE
    told, nothing = (
        f"{signs(f'{n * 100:.1f}')}{THIN}{said('pt')}" if unit == "share" else value(n, unit)
        for n in (abs(number), 0.0)
    )
    sign = "" if told == nothing else "+" if number > 0 else "−"
    return sign + told


def clear_verdict(verdict: str | None, *, is_clear: bool | None, relative: float | None) -> str:
    """The verdict on a change that is more than chance, or noteworthy where chance is not defined; else empty."""
    is_shown = is_clear if is_clear is not None else relative is not None and abs(relative) >= NOTEWORTHY
    return (verdict or "") if is_shown else ""
