"""Texts of the days ahead and of how good their forecast was."""

from __future__ import annotations

TEXTS: dict[str, str] = {
    "forecast.seen": "Exams",
    "forecast.ahead": "Expected",
    "forecast.interval": "{percent} % interval",
    "forecast.between": "95 % interval {lower} to {upper}",
    "forecast.before": "28 days before: {n}",
    "forecast.none": "No modality has six weeks of history with exams of late; the table below says which lacks what.",
    "forecast.untested": "There is no forecast yet, and so none to test.",
    "forecast.error": "Since {since} the forecast was off by {ours} of {level}. The last week repeated would have been "
    "off by {naive}, the mean of the last four such weekdays by {mean}.",
    "forecast.better": "It beats both.",
    "forecast.worse": "It does not beat them here: plan by the simpler rule.",
    "forecast.covered": "{within} of the days lay inside its 95 % interval.",
    "forecast.level": "Compared",
    "forecast.level.network": "the exams of a day",
    "forecast.level.facility": "the exams of a day at one facility",
    "forecast.level.facility_modality": "the exams of a day of one modality at one facility",
    "forecast.level.hour_band": "the exams of six hours of one modality at one facility",
    "forecast.model": "Rule",
    "forecast.model.forecast": "Forecast",
    "forecast.model.last_4_weeks": "Mean of the last four such weekdays",
    "forecast.model.seasonal_naive": "Last week repeated",
    "forecast.reason": "none: {reason} ({n} days)",
    "forecast.expected": "Expected, 28 days",
    "forecast.last": "28 days before",
    "forecast.last.hint": "Exams of the 28 days up to the last whole day of the data",
    "forecast.off": "Off by, a day",
    "forecast.off.hint": "Sum of the absolute errors of the days, as a share of their exams (back-test)",
    "forecast.naive": "Last week repeated: off by",
    "forecast.mae.hint": "Mean absolute error, exams",
    "forecast.mase.hint": "Error divided by that of last week repeated, within the history: below 1 is better",
    "forecast.in_80": "Inside 80 %",
    "forecast.in_95": "Inside 95 %",
    "forecast.width": "Width of 95 %",
}
