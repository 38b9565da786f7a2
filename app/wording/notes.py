"""Texts of what a team keeps beside the numbers: notes, saved views, the digest. `team.js.` is said by the script."""

from __future__ import annotations

_SCRIPT = {
    "note.new": "Note on a day", "note.change": "Change the note", "note.text": "What happened",
    "note.example": "New MR 3 opened", "note.from": "On", "note.to": "Until (if more than a day)",
    "note.facility": "Facilities", "note.modality": "Modalities", "note.others": "Also only for",
    "note.none": "Nothing chosen means all.",
    "note.warning": "Everybody who may see these facilities reads it, also in reports. Never write what could tell of "
    "a patient: no names, numbers or birth dates.",
    "note.saved": "The note is kept.", "note.withdrawn": "The note is withdrawn; its history is kept.",
    "note.withdraw": "Withdraw this note?",
    "note.withdraw.hint": "It disappears from all charts. What it said and who withdrew it is kept.",
    "left": "{n} signs left", "save": "Save", "cancel": "Cancel", "withdraw": "Withdraw",
    "unreachable": "The server did not answer. Try again.", "failed": "The server could not do it; its log says where.",
}  # fmt: skip

TEXTS: dict[str, str] = {
    "page.team": "Notes and views",
    "team.title": "Notes and views",
    "team.lead": "What the team keeps beside the numbers.",
    "q.team.notes": "Notes",
    "q.team.notes.note": "What happened on a day, as marked on every chart over time that it concerns. Added below a "
    "chart; nothing that was written is lost.",
    "notes.empty": "Nobody has written a note yet. Add the first one below any chart over time.",
    "notes.day": "Day",
    "notes.place": "Holds for",
    "notes.text": "Note",
    "notes.history": "{n} versions",
    "notes.added": "{name} wrote on {at}",
    "notes.changed": "{name} changed it on {at}",
    "notes.withdrawn": "{name} withdrew it on {at}",
    "notes.is_withdrawn": "withdrawn",
    "notes.list": "Notes on these days",
    "notes.add": "Add a note",
    "notes.add.hint": "Pin what happened to a day, for the facilities that it concerns",
    "notes.change": "Change",
    "notes.change.named": "Change the note: {note}",
    "notes.withdraw": "Withdraw",
    "notes.withdraw.named": "Withdraw the note: {note}",
    "notes.everywhere": "All facilities",
    "notes.wrote": "{name}, {at}",
    "notes.rewrote": "; last changed by {name}, {at}",
    "team.problem.empty": "Write something first.",
    "team.problem.long": "That is too long.",
    "team.problem.days": "The days are not right: the last one must not lie before the first.",
    "team.problem.filters": "A facility or filter is named that you may not see or that there is not.",
    "team.problem.gone": "It is not there any more. Load the page again.",
    "team.problem.changed": "Somebody changed it meanwhile. Load the page again to see how it is now.",
    "team.problem.many": "There are as many as one may keep. Delete some first.",
    "team.problem.address": "That is no e-mail address.",
    "team.problem.busy": "Others are writing at this moment. Try again.",
    "team.problem.unwritable": "The server's disk cannot be written. Nothing was kept.",
    "team.problem.newer": "A newer radops keeps these; this one may not change them.",
    **{f"team.js.{key}": said for key, said in _SCRIPT.items()},
}
