"""What the overview and the digest say in words: findings and sentences of facilities."""

from __future__ import annotations

TEXTS: dict[str, str] = {
    "finding.group": "Patients {group}: {value} of {n} reports within target, {delta}",
    "finding.within": "{name}: {value} of reports within target, {delta}",
    "finding.p50": "{name}: half of the reports take {value} or more, {delta}",
    "finding.p90": "{name}: one report in ten takes more than {value}, {delta}",
    "finding.utilization": "{name}: devices busy {value} of staffed time, {delta}",
    "finding.repeats": "{name}: {value} of exams repeat one of the last 30 days, {delta}",
    "finding.since": "since about {day}",
    "finding.most": "most from {group} ({part})",
    "finding.and": ", ",
    "finding.past_target": "{name}: {n} of {all} waiting exams are past their target",
    "finding.silent": "{name}: {source} sent nothing for {age}; its longest pause so far was {pause}",
    "sentence.none": "{name}: no reports in this period.",
    "sentence.report": "{name}: half of the exams have a final report within {value}{change}",
    "sentence.within": "{value} met their target",
    "sentence.utilization": "devices were busy {value} of staffed time",
    "sentence.same": " (no clear change)",
    "sentence.slower": " ({value} slower)",
    "sentence.faster": " ({value} faster)",
}
