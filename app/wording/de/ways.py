"""German texts of the way of an exam."""

from __future__ import annotations

TEXTS: dict[str, str] = {
    "ways.stage": "Abschnitt",
    "ways.owner": "Zuständig",
    "ways.mean": "Mittel je Untersuchung",
    "ways.part": "Teil der Änderung",
    "ways.part.hint": "Änderung dieses Abschnitts durch die Änderung des Ganzen: die Teile ergeben 100 %",
    "ways.apart": "Der Untersuchungen, die den Abschnitt haben; addiert sich nicht",
    "ways.honest": "Untersuchungen, die zählen: {fates}. Wem ein Meilenstein fehlt, der bleibt ganz außen vor. Ein "
    "Meilenstein, der vor seinem Vorgänger gemeldet ist, zählt als gleichzeitig ({crossed}-mal), einer nach dem "
    "Endbefund als mit ihm.",
    "way.booking": "Anforderung bis Terminierung",
    "way.slot_wait": "Terminierung bis Eintreffen",
    "way.arrival": "Anforderung bis Eintreffen, ohne Termin",
    "way.begin": "Eintreffen bis Beginn",
    "way.exam": "Beginn bis Ende",
    "way.archive": "Ende bis Archiv",
    "way.read": "Archiv bis erster Befund",
    "way.sign": "Erster bis Endbefund",
    "way.total": "Anforderung bis Endbefund",
    "ways.whose": "Wessen",
    "ways.clock": "Uhr",
    "ways.from_to": "{start} bis {stop}",
    "ways.p50": "Median",
    "ways.p90": "90 % binnen",
    "ways.within": "In 4 Wochen",
    "ways.own": "n für sich",
    "ways.own.hint": "Untersuchungen, die diese Definition für sich allein hat",
    "ways.why": "Alle fünf stimmen. Sie unterscheiden sich, weil ihre Uhren anderswo beginnen oder enden, weil "
    "wenige lange Zeiten ein Mittel heben und einen Median nicht, und weil jede, für sich gefragt, die "
    "Untersuchungen mit ihren beiden Stempeln zählt. Hier werden nur Untersuchungen mit allen Stempeln verglichen; "
    "es unterscheidet sich also nur die Definition.",
    "view.radiologist": "Radiologie",
    "view.grid": "Register (ACR GRID)",
    "view.referrer": "Zuweiser",
    "view.nhs_england": "NHS England",
    "view.first_read": "Erster Befund",
}
