"""German texts of ways that all pages share."""

from __future__ import annotations

TEXTS: dict[str, str] = {
    "cross.period": "Klick oder Ziehen: Zeitraum · Escape: alles · Umschalt-Klick: Untersuchungen",
    "cross.group": "Klick: nur dies, noch einmal: alles · Umschalt-Klick: Untersuchungen",
    "cross.exams": "Klick: die Untersuchungen",
    "cross.cell": "Die Seite nur hierzu, noch einmal: alles; mit Umschalt: die Untersuchungen",
    "cross.only": "Nur {name}",
    "cross.all": "alles zeigen",
    "cross.exams.now": "Untersuchungen",
    "cross.table": "Als Tabelle",
    "cross.mark": "Marke",
    "cross.told": "Was sie sagt",
    "cross.ways": "Wege",
    "cross.way.only": "nur dies",
    "cross.way.exams": "Untersuchungen",
}
