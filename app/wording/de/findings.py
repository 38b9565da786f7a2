"""Findings and sentences of facilities in German."""

from __future__ import annotations

TEXTS: dict[str, str] = {
    "finding.group": "Patienten {group}: {value} von {n} Befunden im Ziel, {delta}",
    "finding.within": "{name}: {value} der Befunde im Ziel, {delta}",
    "finding.p50": "{name}: die Hälfte der Befunde braucht {value} oder mehr, {delta}",
    "finding.p90": "{name}: jeder zehnte Befund braucht mehr als {value}, {delta}",
    "finding.utilization": "{name}: Geräte {value} der Betriebszeit belegt, {delta}",
    "finding.repeats": "{name}: {value} der Untersuchungen wiederholen eine der letzten 30 Tage, {delta}",
    "finding.since": "seit etwa {day}",
    "finding.most": "am meisten durch {group} ({part})",
    "finding.and": ", ",
    "finding.past_target": "{name}: {n} von {all} wartenden Untersuchungen sind über ihrem Ziel",
    "finding.silent": "{name}: {source} hat seit {age} nichts gesendet; die längste Pause bisher war {pause}",
    "sentence.none": "{name}: keine Befunde in diesem Zeitraum.",
    "sentence.report": "{name}: die Hälfte der Untersuchungen hat den Endbefund binnen {value}{change}",
    "sentence.within": "{value} erreichten ihr Ziel",
    "sentence.utilization": "Geräte waren {value} der Betriebszeit belegt",
    "sentence.same": " (keine klare Änderung)",
    "sentence.slower": " ({value} langsamer)",
    "sentence.faster": " ({value} schneller)",
}
