"""Texts of what moved a number and of how peers compare."""

from __future__ import annotations

_MOVED = {
    "q.metric.moved": "What moved it",
    "q.metric.moved.note": "The change as parts that add up to it exactly: of groups that became slower or faster "
    "(their own values), and of groups that came more or less often (the mix).",
    "q.metric.steps": "The largest effects",
    "q.metric.steps.note": "From the earlier to the present value, the largest effects first.",
    "q.overview.changes": "What changed most, and why",
    "q.overview.changes.note": "Time within which 90 % have a final report, by facility and modality. The parts of all "
    "groups add up to the change of the whole.",
    "q.overview.effects": "The largest effects on the whole",
    "q.overview.effects.note": "From the earlier to the present value, the largest effects first.",
    "moved.none": "Nothing is compared: choose a period to compare with.",
    "moved.one": "There is no value in one of the two periods.",
    "moved.before": "Before",
    "moved.now": "Now",
    "moved.group": "Group",
    "moved.share": "Share before",
    "moved.share_now": "Share now",
    "moved.mix": "Mix",
    "moved.mix.hint": "What the group's larger or smaller share moved the whole",
    "moved.rate": "Own values",
    "moved.rate.hint": "What the change of the group's own values moved the whole",
    "moved.part": "Moved the whole",
    "moved.part.hint": "Mix and own values together; all groups add up to the change",
    "moved.rest": "everything else",
    "moved.others": "the smaller groups",
    "moved.rate.length.up": "slower {group}",
    "moved.rate.length.down": "faster {group}",
    "moved.rate.other.up": "higher in {group}",
    "moved.rate.other.down": "lower in {group}",
    "moved.rate.same": "{group} itself",
    "moved.mix.up": "more {group}",
    "moved.mix.down": "fewer {group}",
    "moved.part.up": "more in {group}",
    "moved.part.down": "fewer in {group}",
    "moved.rose": "{what} rose by {delta} to {now}",
    "moved.fell": "{what} fell by {delta} to {now}",
    "moved.same": "{what} stayed at {now}",
    "moved.effect": "{moved} from {effect}",
    "moved.chance": "The 95 % intervals of the two periods are not apart, so the change as a whole may be chance.",
    "moved.at": "{value} at {facility}",
    "moved.without": "no {group}",
}

TEXTS: dict[str, str] = {**_MOVED}
