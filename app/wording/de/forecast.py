"""German texts of the days ahead."""

from __future__ import annotations

TEXTS: dict[str, str] = {
    "forecast.seen": "Untersuchungen",
    "forecast.ahead": "Erwartet",
    "forecast.interval": "{percent}-%-Intervall",
    "forecast.between": "95-%-Intervall {lower} bis {upper}",
    "forecast.before": "28 Tage zuvor: {n}",
    "forecast.none": "Keine Modalität hat sechs Wochen Vorgeschichte mit Untersuchungen aus letzter Zeit; die "
    "Tabelle unten sagt, welcher was fehlt.",
    "forecast.untested": "Es gibt noch keine Prognose und daher keine zu prüfen.",
    "forecast.error": "Seit {since} lag die Prognose um {ours} neben dem Wert ({level}). Die Wiederholung der "
    "letzten Woche hätte um {naive} danebengelegen, das Mittel der letzten vier gleichen Wochentage um {mean}.",
    "forecast.better": "Sie schlägt beide.",
    "forecast.worse": "Sie schlägt beide hier nicht: Planen Sie nach der einfacheren Regel.",
    "forecast.covered": "{within} der Tage lagen in ihrem 95-%-Intervall.",
    "forecast.level": "Verglichen",
    "forecast.level.network": "Untersuchungen eines Tages",
    "forecast.level.facility": "Untersuchungen eines Tages an einem Standort",
    "forecast.level.facility_modality": "Untersuchungen eines Tages einer Modalität an einem Standort",
    "forecast.level.hour_band": "Untersuchungen von sechs Stunden einer Modalität an einem Standort",
    "forecast.model": "Regel",
    "forecast.model.forecast": "Prognose",
    "forecast.model.last_4_weeks": "Mittel der letzten vier gleichen Wochentage",
    "forecast.model.seasonal_naive": "Letzte Woche wiederholt",
    "forecast.reason": "keine: {reason} ({n} Tage)",
    "forecast.expected": "Erwartet, 28 Tage",
    "forecast.last": "28 Tage zuvor",
    "forecast.last.hint": "Untersuchungen der 28 Tage bis zum letzten ganzen Tag der Daten",
    "forecast.off": "Fehler am Tag",
    "forecast.off.hint": "Summe der absoluten Fehler der Tage, als Anteil ihrer Untersuchungen (Rückprüfung)",
    "forecast.naive": "Letzte Woche wiederholt: Fehler",
    "forecast.mae.hint": "Mittlerer absoluter Fehler, Untersuchungen",
    "forecast.mase.hint": "Fehler geteilt durch den der wiederholten letzten Woche in der Vorgeschichte: unter 1 ist "
    "besser",
    "forecast.in_80": "In 80 %",
    "forecast.in_95": "In 95 %",
    "forecast.width": "Breite von 95 %",
}
