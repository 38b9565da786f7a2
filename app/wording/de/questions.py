"""German texts of titles and notes of charts and tables."""

from __future__ import annotations

_TOLD: dict[str, tuple[str, str]] = {
    "overview.facilities": ("Standorte",
        "Unter jeder Zahl: die Änderung seit dem Vergleichszeitraum. Farbe nur, wo die 95-%-Intervalle nicht "
        "überlappen."),
    "overview.network": ("Alle Standorte", "Dieselben Kennzahlen aller Standorte zusammen."),
    "overview.course": ("Befunde nach Standort im Verlauf", "Mediane Zeit von Untersuchungsende bis Endbefund."),
    "turnaround.headline": ("Kennzahlen", "Zeit von Untersuchungsende bis erster Endbefund."),
    "known.reported": ("Wie bekannt am",
        "Die Zahl, wie jeder aufbewahrte Datenstand sie nannte, nach eigener Definition und eigenen Daten."),
    "known.why": ("Damals und jetzt",
        "Was zwischen den beiden Datenständen aus den Zeilen wurde, Schritt für Schritt."),
    "ways.stages": ("Wo die Zeit bleibt",
        "Mittlere Zeit je Untersuchung in jedem Abschnitt von Anforderung bis Endbefund. Die Mittel addieren sich "
        "zum Ganzen; Mediane nicht, sie stehen daneben für die Untersuchungen, die den Abschnitt haben."),
    "ways.fates": ("Untersuchungen in den Abschnitten",
        "Untersuchungen, die zählen, danach, ob sie jeden Meilenstein haben."),
    "ways.definitions": ("Dieselben Untersuchungen, fünf Definitionen",
        "Dieselben Untersuchungen nach den Uhren derer, die fragen. Fett ist die Zahl, die jeder gewöhnlich nennt."),
    "turnaround.spread": ("Wie sich die Zeiten verteilen",
        "Untersuchungen nach Zeit von Untersuchungsende bis Endbefund. Die Bereiche werden nach rechts breiter."),
    "turnaround.course": ("Im Verlauf",
        "Zeit von Untersuchungsende bis Endbefund. Hohle Punkte sind unvollständige Zeiträume."),
    "turnaround.week": ("Nach Wochentag und Stunde",
        "Stunde, in der die Untersuchung endete. Zellen unter fünf Untersuchungen bleiben leer."),
    "turnaround.targets": ("Gegen das Ziel, nach Priorität und Fallart",
        "Blasse Zeilen haben zu wenige Untersuchungen für eine belastbare Zahl. Das Ziel steht, wo alle "
        "Untersuchungen einer Zeile dasselbe haben."),
    "turnaround.worst": ("Am weitesten vom Ziel",
        "Gruppen mit genug Untersuchungen, kleinster Anteil im Ziel zuerst. Ein Klick öffnet die verspäteten."),
    "turnaround.modalities": ("Nach Modalität", "Zeit, in der 90 % einen Endbefund haben."),
    "utilization.headline": ("Kennzahlen", "Aller Geräte unter diesen Filtern."),
    "utilization.booked": ("Termine, Verlegungen und Stillstand",
        "Was Geräte von der Arbeit abhält. Ein Name öffnet die Seite der Kennzahl, nach Gerät und im Verlauf."),
    "utilization.day": ("Ein Tag, wie er war",
        "Belegte Zeit jedes Geräts auf seiner Betriebszeit (blass), Ortszeit. Ein Klick öffnet die Untersuchungen."),
    "utilization.week": ("Belegung nach Wochentag und Stunde",
        "Belegter Anteil aller Minuten der Stunde, in Betrieb oder nicht, verteilt auf die Stunden, die eine "
        "Untersuchung berührt."),
    "utilization.devices": ("Geräte",
        "Die am stärksten ausgelasteten zuerst. Belegte Zeit ist die Vereinigung der Sitzungen in der Betriebszeit."),
    "utilization.rooms": ("Räume",
        "Zeit mit einem Patienten im Raum, vom Eintreffen bis zum Verlassen, an der Betriebszeit; und was aus jedem "
        "gemeldeten Aufenthalt wurde. Nicht gemeldet ist nicht null."),
    "utilization.course": ("Im Verlauf", "Belegter Anteil der Betriebszeit, alle Geräte unter diesen Filtern."),
    "repeats.headline": ("Kennzahlen", "Verworfene Aufnahmen und wiederholte Untersuchungen."),
    "repeats.declared": ("Erklärte Wiederholungen",
        "Wiederholungen, die Anforderung oder Gerät erklären, getrennt von den gefundenen. Nicht jeder Sender kann "
        "es sagen."),
    "repeats.devices": ("Ausschussrate nach Gerät",
        "An den Aufnahmen von Geräten mit Ausschussmeldungen. AAPM TG-151: etwa 8 % ist das Ziel, ab 10 % ist "
        "einzugreifen."),
    "repeats.reasons": ("Warum Aufnahmen verworfen wurden", "Nach Grund, wie die Ausschussmeldungen sagen."),
    "repeats.operators": ("Ausschussrate nach MTR",
        "Pseudonyme; blasse Zeilen haben zu wenige Aufnahmen. Die Marke ist 10 %."),
    "repeats.modalities": ("Binnen 30 Tagen wiederholt",
        "Gleicher Patient, gleiche Modalität, Region und Seite; ohne geplante Kontrollen."),
    "repeats.procedures": ("Wiederholungen nach Leistung", "Binnen 30 Tagen; ohne geplante Kontrollen."),
    "repeats.course": ("Wiederholungen im Verlauf",
        "Anteil der Untersuchungen, die eine der 30 Tage davor wiederholen."),
    "repeats.flow": ("Anderswo untersucht, hier noch einmal",
        "Untersuchungen, die binnen 90 Tagen eine eines anderen Standorts wiederholen."),
    "repeats.priors": ("Führt eine fehlende Voraufnahme zur Wiederholung?",
        "Untersuchungen, deren Anforderung sagt, ob Fremdaufnahmen vorlagen, neben Lu et al., AJR 2012;198:628-634."),
    "repeats.sites": ("Doppelte nach Standort", "Untersuchungen binnen 30 Tagen nach einer an einem anderen Standort."),
    "repeats.kinds": ("Arten der Wiederholung",
        "Wiederholung, Doppelung über Standorte, geplante Kontrolle: nie vermischt."),
    "repeats.week": ("Wiederholungen nach Standort", "Binnen 30 Tagen; ohne geplante Kontrollen."),
    "reports.scorecard": ("Übersichtstafel",
        "Unter jedem Wert: die Änderung seit dem Vormonat, farbig, wo sie mehr als Zufall ist oder, bei vollständig "
        "Gezähltem, mindestens ein Zehntel; dann n. Blass: wenige Fälle."),
    "reports.findings": ("Auffällig, und gut",
        "Verfehlte oder erreichte Ziele, und Änderungen, die mehr als Zufall sind."),
    "reports.editions": ("Ausgaben",
        "Was hier ausgegeben wurde. Eine Ausgabe bleibt, wie sie ist; ein Monat, der aus anderen Daten neu "
        "ausgegeben wird, ist eine weitere Ausgabe."),
    "workload.headline": ("Kennzahlen", "Endbefunde unter diesen Filtern."),
    "workload.readers": ("Befunder", "Endbefunde; vorläufige der Weiterbildung getrennt."),
    "workload.shifts": ("Nach Dienst", "Dienst zur Zeit des Befunds, nach den Zeiten des Standorts."),
    "workload.lines": ("Nach Bereich", "Bereich der Leistung der Untersuchung."),
    "workload.week": ("Befunde nach Wochentag und Stunde", "Endbefunde nach der Stunde der Freigabe."),
    "workload.backlog": ("Warten auf den Endbefund",
        "Untersuchungen, die beendet und ohne Endbefund waren, Stunde für Stunde (UTC)."),
    "workload.course": ("Arbeit im Verlauf", "wRVU der Endbefunde."),
    "workload.weights": ("Zwei Wege, eine Befundung zu gewichten",
        "Die übliche wRVU jeder Leistung gegen ihre mediane Befundungszeit, gelernt aus den eigenen Befunden des "
        "letzten Jahres, gleich welche Filter."),
    "workload.agreement": ("Stimmen wRVU und Befundungszeit überein?", "Rangkorrelation über Leistungen."),
    "workload.order": ("Nicht nach Fälligkeit befundet",
        "Anteil der Erstbefundungen, die begannen, während eine Untersuchung derselben Arbeitsliste (Standort und "
        "Bereich) früher fällig war, mit 95-%-Intervallen."),
    "workload.graded": ("Abweichende vorläufige Befunde",
        "Anteil vorläufiger Befunde mit kleiner oder großer Abweichung, nach Modalität, wie der Befunder des "
        "Endbefunds sie kodiert hat; 95-%-Intervalle."),
    "forecast.course": ("Untersuchungen der nächsten 28 Tage",
        "Untersuchungen nach Tagen: die letzten sechs Wochen, und was ab dem Ende der Daten erwartet wird. Nur "
        "Standort und Modalität filtern; die Tage nicht."),
    "forecast.groups": ("Die nächsten 28 Tage nach Standort und Modalität",
        "Summe der 28 Tage mit 95-%-Intervall, neben den 28 Tagen zuvor. Blasse Zeilen haben keine Prognose und "
        "sagen, warum."),
    "forecast.tested": ("Wie gut ist die Prognose?",
        "Jeder dritte Tag der letzten 12 Wochen als Ausgangspunkt, der nur das Frühere kennt, verglichen mit den "
        "Tagen, die in den letzten 8 Wochen wirklich kamen."),
    "metric.course": ("Im Verlauf, mit Kontrollgrenzen",
        "Innerhalb der Grenzen ist ein Punkt das eigene Rauschen der Zahl. Bis zum Ende des Zeitraums: ein halbes "
        "Jahr nach Wochen, acht Wochen nach Tagen (jeder Wochentag für sich), zwei Jahre nach Monaten. Hohle Punkte "
        "sind unvollständig."),
    "metric.waiting": ("Mit den noch wartenden Untersuchungen",
        "Perzentile abgeschlossener Untersuchungen werden besser, während sich langsame stauen. Hier zählt eine "
        "wartende mindestens so lang, wie sie gewartet hat (Kaplan und Meier)."),
    "turnaround.waiting": ("Mit den noch wartenden Untersuchungen",
        "Untersuchungsende bis Endbefund. Perzentile abgeschlossener Untersuchungen werden besser, während sich "
        "langsame stauen; hier zählt eine wartende mindestens so lang, wie sie gewartet hat (Kaplan und Meier)."),
    "metric.marks": ("Änderungen der Bedeutung",
        "Tage, an denen sich die Definition, ein Ziel oder eine entschiedene Zuordnung geändert hat."),
    "metric.values": ("Werte", "Jede Statistik dieser Kennzahl, mit 95-%-Intervall."),
    "metric.groups": ("Nach Gruppen",
        "Blasse Zeilen haben zu wenige für eine belastbare Zahl. Farbe nur, wo die 95-%-Intervalle nicht überlappen."),
    "exams.list": ("Untersuchungen",
        "Eine Überschrift sortiert; die Zeit öffnet den Verlauf der Untersuchung. Zeiten sind Ortszeit."),
    "exam.events": ("Verlauf",
        "Jedes Ereignis, das eine Quelle meldete, der Reihe nach, nach der Uhr des Standorts. Volle Punkte sind die "
        "Meilensteine, die zählen."),
    "exam.facts": ("Was bekannt ist", "Wie veröffentlicht: keine Namen, Nummern oder Geburtsdaten."),
    "definitions.metrics": ("Kennzahlen", "Je eine Datei; Seiten, Ausgaben und dieser Text entstehen daraus."),
    "definitions.columns": ("Tabellen und Spalten", "Veröffentlichte Tabellen eines Datenstands, für SQL."),
    "mappings.queue": ("Namen, die auf eine Person warten",
        "Die mit den meisten Untersuchungen zuerst. Eine Schaltfläche füllt die Entscheidung; jede andere Leistung "
        "lässt sich eintippen. Alle Tage."),
    "mappings.against": ("Bilddaten gegen Namen",
        "Namen, deren Bilddaten in manchen Untersuchungen etwas anderes sagen. Von selbst wird keine davon "
        "zugeordnet; wo eine Person entschieden hat, sind die Bilddaten die Auffälligkeit. Alle Tage."),
    "interoperability.links": ("Fehlende Verbindungen",
        "Anteil der Untersuchungen, die zählen, von denen jedes System gemeldet hat. Fehlt: nie; aufgehört: nicht in "
        "den letzten 7 Tagen. Untersuchungen aller Tage."),
    "interoperability.systems": ("Wer sendet was an wen",
        "Nachrichten nach Sender und Empfänger, aus ihren eigenen Umschlägen; die Breite ist ihre Zahl."),
    "interoperability.kinds": ("Arten von Nachrichten",
        "Jede Nachricht einmal. Fehler sind Felder, die nicht verwendbar waren."),
    "interoperability.freshness": ("Wie frisch jede Quelle ist",
        "Vom neuesten Ereignis einer Quelle bis zum Ende der Daten; rot, wo sie länger stumm ist als je zuvor."),
    "interoperability.known": ("Bekannte Meilensteine", "Anteil der Untersuchungen mit dem Meilenstein."),
    "interoperability.linked": ("Verbundene Datensätze", "Befunde mit Anforderung und Bildern."),
    "interoperability.clocks": ("Uhren der Geräte",
        "Wie weit die Uhr eines Geräts von den Uhren um sie herum abweicht, was sie am Tag gewinnt, und wann sie "
        "zuletzt gestellt wurde."),
    "interoperability.ready": ("Bereit für Algorithmen",
        "Untersuchungen, deren Bilddaten tragen, was Weiterleitung und Prüfung brauchen."),
    "interoperability.names": ("Namen, die niemand zugeordnet hat",
        "Leistungen, Geräte und Standorte; die mit den meisten Untersuchungen zuerst. Alle Tage."),
}  # fmt: skip

TEXTS: dict[str, str] = {
    **{f"q.{key}": title for key, (title, _) in _TOLD.items()},
    **{f"q.{key}.note": note for key, (_, note) in _TOLD.items()},
}
