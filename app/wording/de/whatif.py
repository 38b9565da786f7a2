"""German texts of what a change would do."""

from __future__ import annotations

TEXTS: dict[str, str] = {
    "q.workload.whatif": "Was wäre, wenn",
    "q.workload.whatif.note": "Der Zeitraum, wie er war, noch einmal durchgespielt, mit einer Änderung. Nur das "
    "Gezählte folgt den Filtern: die Warteschlangen teilen sich alle Standorte.",
    "whatif.choose": "Wählen Sie eine Änderung. Beim ersten Mal dauert es einige Sekunden.",
    "whatif.narrow": "Ein Gerät mehr wird für Standorte angeboten, die oben gewählt sind.",
    "whatif.measure": "Kennzahl",
    "whatif.target_misses": "Befunde über Ziel",
    "whatif.report_final_p50": "Untersuchungsende bis Endbefund, Median",
    "whatif.report_final_p90": "Untersuchungsende bis Endbefund, 90 % binnen",
    "whatif.wait_p50": "Eintreffen bis Beginn, Median",
    "whatif.wait_p90": "Eintreffen bis Beginn, 90 % binnen",
    "whatif.observed": "Wie es war",
    "whatif.baseline": "Durchgespielt",
    "whatif.baseline.hint": "Die Simulation ohne die Änderung; sie muss nahe an das Geschehene kommen",
    "whatif.changed": "Mit der Änderung",
    "whatif.delta": "Unterschied",
    "whatif.valid": "Verlässlich",
    "whatif.valid.hint": "Das Durchspielen ohne die Änderung liegt in seiner Toleranz um das Geschehene",
    "whatif.yes": "ja",
    "whatif.no": "nein",
    "whatif.right": "Das Durchspielen ohne die Änderung kommt dem Geschehenen nahe.",
    "whatif.wrong": "Nicht verlassen: Das Durchspielen ohne die Änderung liegt zu weit vom Geschehenen bei {names}.",
    "whatif.made": "Mittel aus {runs} Läufen, die mit und ohne Änderung denselben Zufall teilen; das 95-%-Intervall "
    "gilt über Tage und Läufe. {n} Untersuchungen, {left} ohne Endbefund außen vor. Befunder kommen und nehmen, was "
    "sie zuvor nahmen.",
}
