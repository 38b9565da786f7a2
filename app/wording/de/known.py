"""German texts of what was known when."""

from __future__ import annotations

TEXTS: dict[str, str] = {
    "known.published": "Veröffentlicht",
    "known.through": "Daten bis",
    "known.shown": "hier gezeigt",
    "known.as": "so sehen, wie damals bekannt",
    "known.kept": "Ältere Datenstände, die aufgehoben sind: {n}.",
    "known.ask": "Vergleichen, was sie sagten und warum es anders ist",
    "known.explain": "erklären",
    "known.step": "Schritt",
    "known.effect": "Wirkung",
    "known.then": "Damals berichtet",
    "known.definition": "Definition geändert",
    "known.removed": "Nicht mehr verwendet",
    "known.changed": "Korrigiert",
    "known.added": "Hinzugekommen",
    "known.now": "Hier gezeigt",
    "known.between": "Vom Datenstand vom {then} zum hier gezeigten. Die Wirkungen addieren sich zum Unterschied.",
    "known.no": "Eine Zählung zu einem Zeitpunkt, oder eine Kennzahl, die der ältere Datenstand nicht hat, lässt "
    "sich nicht zerlegen.",
    "known.banner": "Wie am {built} bekannt: ein älterer Datenstand. Spätere Befunde und Korrekturen fehlen darin.",
    "known.versions": "Version {then} zu {now}",
    "known.today": "Sehen, was heute bekannt ist",
    "known.kind.missing": "fehlt",
    "known.kind.waiting": "wartete noch",
    "known.kind.negative": "außen vor",
    "known.kind.excluded": "zählt nicht",
    "known.kind.other": "nicht gefragt",
    "known.kind.outside": "außerhalb",
}
