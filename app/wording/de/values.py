"""German texts of values of groups."""

from __future__ import annotations

TEXTS: dict[str, str] = {
    "value.none": "(ohne)",
    "value.priority.stat": "Notfall",
    "value.priority.urgent": "dringlich",
    "value.priority.routine": "Routine",
    "value.patient_class.emergency": "Notaufnahme",
    "value.patient_class.inpatient": "stationär",
    "value.patient_class.outpatient": "ambulant",
    "value.service_line.body": "Abdomen",
    "value.service_line.breast": "Mamma",
    "value.service_line.cardiac": "Herz",
    "value.service_line.chest": "Thorax",
    "value.service_line.msk": "MSK",
    "value.service_line.neuro": "Neuro",
    "value.service_line.nuclear": "Nuklearmedizin",
    "value.service_line.vascular": "Gefäße",
    "value.shift.day": "Tag",
    "value.shift.evening": "Spät",
    "value.shift.night": "Nacht",
    "value.shift.weekend": "Wochenende",
}
