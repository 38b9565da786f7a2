"""Texts of answers that stand beside charts: to what a new manager asks first."""

from __future__ import annotations

TEXTS: dict[str, str] = {
    "utilization.room_for": "Room for",
    "utilization.room_for.value": "{n}/week",
    "utilization.room_for.hint": "Usual exams a week that fit into its idle staffed time, turnover included. Nothing "
    "is kept free for emergencies, and idle pieces shorter than an exam count.",
    "repeats.most": "{n} exams repeat one of another facility; most often {later} images again what {prior} "
    "had: {most}.",
}
