"""German texts of the page Admin."""

from __future__ import annotations

_SCRIPT = {
    "edit": "Ändern", "close": "Schließen", "add": "Zeile hinzufügen", "remove": "Zeile {n} entfernen",
    "restore": "Zeile {n} zurückholen", "discard": "Änderungen verwerfen", "find": "Zeile suchen",
    "download": "{file} herunterladen", "row": "Zeile {n}", "cell": "{column}, Zeile {n}",
    "none": "Noch ist nichts geändert.", "checking": "Wird geprüft.",
    "unreachable": "Der Server hat nicht geantwortet. Was Sie geschrieben haben, bleibt in diesem Browser.",
    "failed": "Der Server konnte das nicht prüfen; sein Protokoll sagt, wo es scheiterte.",
    "forbidden": "Ändern darf nur, wer alle Standorte sehen darf.",
    "then": "Auf dem Rechner von radops, vor dem nächsten Lauf:",
    "kept": "Bleibt in diesem Browser, bis es gilt oder verworfen wird.",
    "saved": "{file} ist heruntergeladen.", "group": "", "was": "jetzt", "is": "damit",
    "faults": "{n} Felder können nicht übernommen werden; sie sind in der Tabelle markiert.",
    "fault": "1 Feld kann nicht übernommen werden; es ist in der Tabelle markiert.",
}  # fmt: skip
_COLUMNS = {
    "facility": "Standort", "name": "Name", "zone": "Zeitzone", "kind": "Art", "aliases": "Heißt auch, getrennt "
    "durch ;",
    "metric": "Kennzahl", "modality": "Modalität", "priority": "Priorität", "patient_class": "Fallart",
    "target": "Ziel",
    "unit": "Einheit", "source": "Herkunft", "valid_from": "Ab", "valid_to": "Bis vor",
    "device": "Gerät", "weekday": "Wochentage, 1 = Mo", "opens": "Öffnet", "closes": "Schließt", "date": "Tag",
}  # fmt: skip
_FAULTS = {
    "missing": "wird gebraucht", "number": "{value} ist keine Zahl über 0", "day": "{value} ist kein Tag wie "
    "2026-01-31",
    "days": "muss nach dem ersten Tag liegen", "unit": "{value} ist keine Einheit: min, h oder d",
    "time": "{value} ist keine Uhrzeit wie 07:30", "times": "muss nach dem Öffnen liegen",
    "weekday": "{value} ist kein Wochentag: 1 (Montag) bis 7, mehrere wie 12345",
    "overlap": "überschneidet sich mit einem anderen Block des Geräts",
    "zone": "{value} ist keine Zeitzone wie America/New_York",
    "flag": "{value} ist weder true noch false", "metric": "es gibt keine Kennzahl {value}",
    "facility": "es gibt keinen Standort {value}", "device": "es gibt kein Gerät {value}",
    "modality": "{value} ist keine Modalität in Großbuchstaben, wie CT", "priority": "{value} ist keine Priorität",
    "patient_class": "{value} ist keine Fallart", "kind": "closed oder holiday", "twice": "steht doppelt da",
    "alias": "{value} trägt schon ein anderer Standort", "reserved": "so heißt, was kein Standort trägt: {value}",
}  # fmt: skip
_QUESTIONS: dict[str, tuple[str, str]] = {
    "facilities": ("Standorte", "Alle Untersuchungen, die zählen, und alle Nachrichten, gleich welchen Datums. Eine "
                   "Anzahl "
                   "von Namen führt zu ihren Zuordnungen."),
    "unplaced": ("Nachrichten, die kein Standort trägt", "Nach Sender, APP@STANDORT. Nennen Sie einen Standort, "
                 "wie seine "
                 "Nachrichten ihn nennen, oft wie hinter dem @; nichts wird neu gelesen."),
    "held": ("Befundziele, die galten", "Vom Ende der Untersuchung bis zum ersten Endbefund, für Untersuchungen "
             "unter diesen "
             "Filtern, nach dem genauesten Ziel am Tag. Mehrere, wo sie sich nach Modalität oder Tag unterscheiden."),
    "targets": ("Ziele, wie sie angegeben sind", "Von allen Kennzahlen, die eines haben können. Das genaueste am "
                "Tag gilt."),
    "staffing": ("Betriebszeiten der Geräte", "Auslastung ist belegte Zeit in diesen Stunden, unter diesen Filtern."),
    "days": ("Besondere Tage", "Geschlossene Tage haben keine Betriebszeit; an Feiertagen ist geöffnet."),
    "shifts": ("Dienste", "Wie shifts.csv sie angibt; wo zwei eine Minute teilen, zählt die erste."),
    "feeds": ("Quellen", "Vom neuesten Ereignis einer Quelle bis zum Ende der Daten; rot, wo sie länger "
    "schweigt als je "
              "zuvor."),
    "settings": ("Einstellungen", "Unter denen dieser Datenstand veröffentlicht wurde, ohne Orte des "
    "Rechners. Fett, wo "
                 "nicht die "
                 "üblichen. Sie werden als Umgebungsvariablen gesetzt."),
}  # fmt: skip
TEXTS: dict[str, str] = {
    **{f"q.admin.{key}": title for key, (title, _) in _QUESTIONS.items()},
    **{f"q.admin.{key}.note": note for key, (_, note) in _QUESTIONS.items()},
    "page.admin": "Verwaltung",
    "admin.title": "Verwaltung",
    "admin.lead": "Was radops über dieses Haus gesagt wurde, wie es in diesem Datenstand gilt. Änderungen werden hier "
    "gemacht, "
    "sofort geprüft und vorausgesagt, und verlassen die Seite als Datei, die der nächste Lauf nimmt.",
    "admin.tab.facilities": "Standorte",
    "admin.tab.targets": "Ziele",
    "admin.tab.hours": "Zeiten und Tage",
    "admin.tab.feeds": "Quellen und Einstellungen",
    "admin.tab.people": "Personen und Protokoll",
    "admin.name": "Standort",
    "admin.zone": "Zeitzone",
    "admin.hours": "Betrieb je Woche",
    "admin.devices": "Geräte",
    "admin.exams": "Untersuchungen",
    "admin.first": "Erste",
    "admin.last": "Letzte",
    "admin.senders": "Sender",
    "admin.message": "Letzte Nachricht",
    "admin.names": "Offene Namen",
    "admin.h": "{n}\u202fh",
    "admin.span": "{first} bis {last}",
    "admin.unstated": "{n} ohne Zeiten",
    "admin.sender": "Sender",
    "admin.messages": "Nachrichten",
    "admin.placed": "Jede Nachricht nennt einen Standort des Hauses.",
    "admin.forwhom": "Priorität und Fallart",
    "admin.goal": "Ziel",
    "admin.number": "Kennzahl",
    "admin.for": "Für",
    "admin.everyone": "alle",
    "admin.source": "Herkunft",
    "admin.since": "Seit",
    "admin.until": "Bis vor",
    "admin.always": "immer",
    "admin.open": "offen",
    "admin.over": "über",
    "admin.no_target": "keines",
    "admin.device": "Gerät",
    "admin.week": "h je Woche",
    "admin.busy": "Auslastung",
    "admin.no_hours": "keine Zeiten angegeben: Auslastung nicht bekannt",
    "admin.day": "Tag",
    "admin.kind": "Was es ist",
    "admin.kind.closed": "geschlossen",
    "admin.kind.holiday": "Feiertag: geöffnet, ruhig wie ein Sonntag",
    "admin.who": "Standorte",
    "admin.no_days": "Keine besonderen Tage sind angegeben.",
    "admin.shift": "Dienst",
    "admin.hours.span": "Zeiten",
    "admin.after": "Außerhalb der Dienstzeit",
    "admin.yes": "ja",
    "admin.no": "nein",
    "admin.no_shifts": "Keine Dienste sind angegeben.",
    "admin.feed.source": "Quelle",
    "admin.feed.standard": "Standard",
    "admin.feed.silent": "Schweigt seit",
    "admin.feed.week": "Ereignisse in 7 Tagen",
    "admin.feed.more": "Verbindungen und Uhren jedes Systems: Schnittstellen",
    "admin.setting": "Einstellung",
    "admin.value": "Gilt",
    "admin.usual": "Üblich",
    "admin.meaning": "Was sie tut",
    "admin.no_settings": "Die Version, die diesen Datenstand veröffentlichte, vermerkte ihre Einstellungen nicht.",
    "admin.people": "Rechte der Personen und Protokoll",
    "admin.people.note": "Sie kommen mit einem späteren Auftrag; dies ist ihr Platz.",
    "admin.people.now": "Es gibt noch keine Anmeldung: Wer an diesem Rechner ist, sieht jeden Standort und alle "
    "Befunder, und "
    "der Server antwortet nur diesem Rechner. Nichts wird darüber vermerkt, wer was ansah.",
    "admin.people.then": "Hier wird stehen, wer welche Standorte und Befunder sehen darf, und das Protokoll der "
    "Anmeldungen, "
    "Exporte und Ablehnungen.",
    "admin.change": "Ändern",
    "admin.change.facilities": "Standorte ändern",
    "admin.change.targets": "Ziele ändern",
    "admin.change.staffing": "Betriebszeiten ändern",
    "admin.change.calendar": "Besondere Tage ändern",
    "admin.older": "Die Version, die diesen Datenstand baute, behielt diese Zeilen nicht; der nächste Lauf "
    "wird es tun.",
    "admin.scoped": "Was gilt, darf nur ändern, wer alle Standorte sehen darf.",
    "admin.changes": "Gegen das, was gilt: {new} neu, {changed} geändert, {gone} weg.",
    "admin.same": "Dasselbe, wie es gilt.",
    "admin.targets.moved": "Von {n} Untersuchungen {sentence} wären {after} über ihrem Ziel statt {before}.",
    "admin.targets.n": "Dann haben {n} Untersuchungen einen bekannten Ausgang statt {before}: Was kein Ziel hat, "
    "oder noch "
    "darin wartet, zählt nicht.",
    "admin.targets.critical": "Von {n} kritischen Befunden {sentence} wären {after} zu spät mitgeteilt statt {before}.",
    "admin.targets.critical.of": "Kritische Befunde: {place}",
    "admin.targets.same": "Keine Untersuchung {sentence} würde anders beurteilt.",
    "admin.hours.moved": "Betriebszeit {sentence}: {after} statt {before}. Auslastung {share_after} statt "
    "{share_before}.",
    "admin.hours.same": "Bis zum Ende der Daten ändert sich keine Stunde {sentence}.",
    "admin.facilities.zone": "Die Zeitzone von {name} gilt für Dateien, die von nun an gelesen werden; was geladen "
    "ist, "
    "behält seine Zeiten.",
    "admin.facilities.named": "{n} Nachrichten von {senders} Sendern, die kein Standort trägt, heißen wie {name}.",
    "admin.facilities.same": "Namen und Arten ändern, wie Standorte heißen, und keine Zahl.",
    "admin.past": "Über dem Ziel",
    "admin.within": "Im Ziel",
    "admin.staffed": "Betriebszeit",
    "admin.all": "alle",
    **{f"admin.js.{key}": said for key, said in _SCRIPT.items()},
    **{f"admin.column.{key}": said for key, said in _COLUMNS.items()},
    **{f"admin.fault.{key}": said for key, said in _FAULTS.items()},
}
