"""Titles of charts and tables, and what to know when reading them. Keys are `q.` and the question's id."""

from __future__ import annotations

_TOLD: dict[str, tuple[str, str]] = {
    "overview.facilities": ("Facilities", "Under each number: the change since the period compared with. Colour only "
                            "where the 95 % intervals do not overlap."),
    "overview.network": ("All facilities", "The same measures of all facilities together."),
    "overview.course": ("Reports by facility over time", "Median time from exam end to final report."),
    "turnaround.headline": ("Headline numbers", "Time from exam end to first final report."),
    "known.reported": ("As known on", "The number as each kept snapshot told it, by its own definition and data."),
    "known.why": ("Then and now", "What became of the rows between the two snapshots, one step after the other."),
    "ways.stages": ("Where the time goes", "Mean time per exam in each stage from order to final report. The means add "
                    "up to the whole; medians do not, and stand beside them for the exams that have the stage."),
    "ways.fates": ("Exams in the stages", "Exams that count, by whether they have every milestone."),
    "ways.definitions": ("One set of exams, five definitions", "The same exams by the clocks of those who ask. Bold is "
                         "the number that each customarily quotes."),
    "turnaround.spread": ("How the times spread", "Exams by time from exam end to final report. Ranges widen to the "
                          "right."),
    "turnaround.course": ("Over time", "Time from exam end to final report. Hollow points are unfinished periods."),
    "turnaround.week": ("By weekday and hour", "Hour at which the exam ended. Cells below five exams stay empty."),
    "turnaround.targets": ("Against target, by priority and patient class", "Pale rows have too few exams for a firm "
                           "number. The target stands where all exams of a row share one."),
    "turnaround.worst": ("Furthest from target", "Groups with enough exams, lowest share within target first. A click "
                         "opens the late exams."),
    "turnaround.modalities": ("By modality", "Time within which 90 % have a final report."),
    "utilization.headline": ("Headline numbers", "Of all devices under these filters."),
    "utilization.booked": ("Slots, moves and standstill", "What keeps devices from work. A name opens the number's own "
                           "page, by device and over time."),
    "utilization.day": ("A day as it was", "Busy time of each device on its staffed hours (pale), local time. A click "
                        "opens the exams."),
    "utilization.week": ("Occupancy by weekday and hour", "Busy share of all minutes of the hour, staffed or not, "
                         "split over the hours that an exam touches."),
    "utilization.devices": ("Devices", "Busiest first. Busy time is the union of sessions within staffed hours."),
    "utilization.rooms": ("Rooms", "Time with a patient in the room, from arrival to departure, of staffed time; and "
                          "what became of each stay that was told. Not reported is not zero."),
    "utilization.course": ("Over time", "Busy share of staffed time, all devices under these filters."),
    "repeats.headline": ("Headline numbers", "Rejected images and exams done again."),
    "repeats.declared": ("Declared repeats", "Repeats that the order or the modality declares, apart from those that "
                         "are found. Not every sender can say it."),
    "repeats.devices": ("Reject rate by device", "Of images of devices with rejection notes. AAPM TG-151: about 8 % is "
                        "the target, 10 % the level to act on."),
    "repeats.reasons": ("Why images were rejected", "By reason, as the rejection notes say."),
    "repeats.operators": ("Reject rate by technologist",
                          "Pseudonyms; pale rows have too few images. The mark is 10 %."),
    "repeats.modalities": ("Exams repeated within 30 days", "Same patient, modality, region and side; planned "
                           "follow-up left out."),
    "repeats.procedures": ("Repeated exams by procedure", "Within 30 days; planned follow-up left out."),
    "repeats.course": ("Repeated exams over time", "Share of exams that repeat one of the 30 days before."),
    "repeats.flow": ("Imaged elsewhere, then again here", "Exams that repeat one of another facility within 90 days."),
    "repeats.priors": ("Does a missing prior lead to a repeat?", "Exams whose order says whether outside images were "
                       "at hand, beside Lu et al., AJR 2012;198:628-634."),
    "repeats.sites": ("Duplicates by facility", "Exams within 30 days of one at another facility."),
    "repeats.kinds": ("Kinds of repetition", "Repeat, duplicate across facilities, planned follow-up: never mixed."),
    "repeats.week": ("Repeated exams by facility", "Within 30 days; planned follow-up left out."),
    "reports.scorecard": ("Scorecard", "Under each value: the change since the month before, coloured where it is more "
                          "than chance or, for what is counted in full, at least a tenth; then n. Pale: few cases."),
    "reports.findings": ("Out of order, and good", "Targets missed or met, and changes that are more than chance."),
    "reports.editions": ("Editions", "What was exported into this home. An edition stays as it is; a month that is "
                         "exported again from other data is another edition."),
    "workload.headline": ("Headline numbers", "Final reports under these filters."),
    "workload.readers": ("Readers", "Final reports; preliminary ones by trainees apart."),
    "workload.shifts": ("By shift", "Shift at the time of the report, by the site's own hours."),
    "workload.lines": ("By service line", "Service line of the exam's procedure."),
    "workload.week": ("Reports by weekday and hour", "Final reports by the hour in which they were signed."),
    "workload.backlog": ("Waiting for a final report", "Exams that had ended and were not final, each hour (UTC)."),
    "workload.course": ("Work over time", "wRVU of final reports."),
    "workload.weights": ("Two ways to weigh a read", "Each procedure's usual wRVU against its median reading time, "
                         "learned from the site's own reports of the last year, whatever the filters."),
    "workload.agreement": ("Do wRVU and reading time agree?", "Rank correlation over procedures."),
    "workload.order": ("Read out of due order", "Share of first reads begun while an exam of the same worklist "
                       "(facility and service line) was due sooner, with 95 % intervals."),
    "workload.graded": ("Preliminary reports that differ", "Share of preliminary reports with a minor or major "
                        "discrepancy, by modality, as the reader of the final report coded it; 95 % intervals."),
    "forecast.course": ("Exams of the next 28 days", "Exams by day: the last six weeks, and what is expected from the "
                        "day of the data cut-off on. Only facility and modality filter it; dates do not."),
    "forecast.groups": ("The next 28 days by facility and modality", "Sum of the 28 days with its 95 % interval, "
                        "beside the 28 days before. Pale rows have no forecast, and say why."),
    "forecast.tested": ("How good is the forecast?", "Each third day of the last 12 weeks as a starting point that "
                        "knows only what came before, compared with the days that really came in the last 8 weeks."),
    "metric.course": ("Over time, with control limits", "Within the limits a point is the number's own noise. Up to "
                      "the end of the period: half a year by week, eight weeks by day (each weekday by itself), two "
                      "years by month. Hollow points are unfinished."),
    "metric.waiting": ("With the exams that still wait", "Percentiles of finished exams improve while slow ones pile "
                       "up. Here a waiting exam counts as at least as long as it has waited (Kaplan and Meier)."),
    "turnaround.waiting": ("With the exams that still wait", "Exam end to final report. Percentiles of finished exams "
                           "improve while slow ones pile up; here a waiting exam counts as at least as long as it has "
                           "waited (Kaplan and Meier)."),
    "metric.marks": ("Changes of meaning", "Days on which the definition, a target or a decided name changed."),
    "metric.values": ("Values", "Every statistic of this number, with its 95 % interval."),
    "metric.groups": ("By group", "Pale rows have too few for a firm number. Colour only where the 95 % intervals do "
                      "not overlap."),
    "exams.list": ("Exams", "A heading sorts; the time opens the exam's timeline. Times are local."),
    "exam.events": ("Timeline", "Every event that a source told, in order, on the facility's clock. Filled dots "
                    "are the milestones that count."),
    "exam.facts": ("What is known", "As published: no names, numbers or birth dates."),
    "definitions.metrics": ("Metrics", "One file each; pages, exports and this text are made from it."),
    "definitions.columns": ("Tables and columns", "Published tables of a snapshot, for SQL."),
    "mappings.queue": ("Names that wait for a person", "Most exams first. A button fills the decision; any other "
                       "procedure can be typed. All days."),
    "mappings.against": ("Headers against names", "Names whose image headers say something else in some exams. By "
                         "itself no such exam is merged; where a person decided, the header is the finding. All days."),
    "interoperability.links": ("Missing links", "Share of exams that count of which each system told. Missing: never; "
                               "stopped: not in the last 7 days. Exams of all days."),
    "interoperability.systems": ("Who sends what to whom", "Messages by sender and receiver, from their own envelopes; "
                                 "the width is their number."),
    "interoperability.kinds": ("Kinds of messages", "Each message once. Defects are fields that could not be used."),
    "interoperability.freshness": ("How fresh each source is", "From a source's newest event to the data cut-off; red "
                                   "where it is silent for longer than ever before."),
    "interoperability.known": ("Known milestones", "Share of exams with the milestone."),
    "interoperability.linked": ("Linked records", "Reports with both an order and images."),
    "interoperability.clocks": ("Clocks of devices", "How far a device's clock stands from the clocks around it, "
                                "what it gains a day, and when it was last set."),
    "interoperability.ready": ("Ready for algorithms", "Exams whose image headers carry what routing and validation "
                               "need."),
    "interoperability.names": ("Names that nobody has mapped", "Procedures, devices and facilities; most exams first. "
                               "All days."),
}  # fmt: skip

TEXTS: dict[str, str] = {
    **{f"q.{key}": title for key, (title, _) in _TOLD.items()},
    **{f"q.{key}.note": note for key, (_, note) in _TOLD.items()},
}
