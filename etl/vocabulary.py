"""Event vocabulary: our code beside its SIIM SWIM / IHE SOLE name. Sources emit only these codes."""

from __future__ import annotations

EVENTS: dict[str, str] = {
    "ordered": "Order Placed",
    "scheduled": "Exam Scheduled",
    "rescheduled": "Exam Rescheduled",
    "arrived": "Patient Arrived",
    "protocoled": "Exam Protocoled",
    "exam_started": "Exam Begun",
    "exam_ended": "Exam Ended",
    "images_available": "Images Available",
    "read_started": "Reading Started",
    "dictated": "Report Dictated",
    "preliminary_report": "Preliminary Report Available",
    "final_report": "Final Report Signed",
    "corrected_report": "Report Corrected",
    "addendum": "Report Addended",
    "critical_found": "Critical Result Found",
    "critical_communicated": "Critical Result Communicated",
    "cancelled": "Order Cancelled",
    "no_show": "Patient Did Not Arrive",
    "discontinued": "Exam Discontinued",
    "images_rejected": "Images Rejected",
    "images_imported": "Images Imported",
}
