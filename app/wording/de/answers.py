"""German texts of answers that stand beside charts."""

from __future__ import annotations

TEXTS: dict[str, str] = {
    "utilization.room_for": "Platz für",
    "utilization.room_for.value": "{n}/Woche",
    "utilization.room_for.hint": "Übliche Untersuchungen je Woche, die in die unbelegte besetzte Zeit passen, mit "
    "Wechsel. Nichts bleibt für Notfälle frei, und auch Lücken unter einer Untersuchung zählen.",
    "repeats.most": "{n} Untersuchungen wiederholen eine eines anderen Standorts; am häufigsten untersucht {later} "
    "erneut, was {prior} hatte: {most}.",
}
