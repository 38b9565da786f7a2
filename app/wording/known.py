"""Texts of what was known when."""

from __future__ import annotations

TEXTS: dict[str, str] = {
    "known.published": "Published",
    "known.through": "Data through",
    "known.shown": "shown here",
    "known.as": "see as known then",
    "known.kept": "Older snapshots that are kept: {n}.",
    "known.ask": "Compare what they told, and why it differs",
    "known.explain": "explain",
    "known.step": "Step",
    "known.effect": "Effect",
    "known.then": "As reported then",
    "known.definition": "Definition changed",
    "known.removed": "No longer used",
    "known.changed": "Corrected",
    "known.added": "Added",
    "known.now": "As shown here",
    "known.between": "From the snapshot of {then} to the one shown here. The effects add up to the difference.",
    "known.no": "A count at one instant, or a number that the older snapshot does not have, cannot be taken apart.",
    "known.banner": "As known on {built}: an older snapshot. Later reports and corrections are not in it.",
    "known.kind.missing": "missing",
    "known.kind.waiting": "waiting",
    "known.kind.negative": "negative",
    "known.kind.excluded": "excluded",
    "known.kind.other": "other",
    "known.kind.outside": "outside",
    "known.versions": "version {then} to {now}",
    "known.today": "See what is known today",
}
