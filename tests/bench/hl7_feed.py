"""A radiology feed: new and status orders, bookings, arrivals, preliminary and final reports, 2.4 KB in the mean.

As an interface engine sends it: two thirds of the octets are insurance, next of kin, allergies, notes and text that
nobody reads here, but every reader must step over.
"""

from __future__ import annotations

_PID = "PID|1||M{n:06d}^^^NORTH^MR~E{n:07d}^^^NET^PI||Doe^Jane^Q||19680412|F|||1 Example St^^Sampleton^NY^10001^USA"
_PV1 = "PV1|1|E|ED^A^01^NORTH||||1001^Roe^Ann^B^^DR^MD^^NPI|||SUR|||||||||V{n:06d}^^^NORTH^VN"
_OBR = (
    "OBR|1|P{n:06d}^HIS|F{n:06d}^RISB|CT123^CT HEAD W/O CONTRAST^L^24725-4^CT Head^LN|||202601151012|20260115102500|||"
    "|||||1001^Roe^Ann^B^^DR^MD^^NPI||A{n:06d}|RP{n:06d}|SPS{n:06d}||20260115113000||CT|{status}||1^^^20260115101500^^R||||"
    "R51^Headache^I10|9&Reed&Rae&&&&&&NPI^20260115112000^20260115112900|8&Fox&Fay&&&&&&NPI|7&Tran&Tim"
)
_ORC = "ORC|{control}|P{n:06d}^HIS|F{n:06d}^RISB||{status}||||20260115094500|||1001^Roe^Ann^B^^DR^MD^^NPI"
_TQ1 = "TQ1|1||||||20260115101500||R^Routine^HL70485"
_IPC = "IPC|A{n:06d}|RP{n:06d}|2.25.{n:06d}|SPS{n:06d}|CT^Computed Tomography^DCM||CT_ROOM||NORTH_CT1"
_OBX = "OBX|{i}|TX|&GDT^Findings|1|Paragraph {i} of the report: no acute abnormality is seen in the region.||||||F"
_SCH = "SCH|AP{n:06d}^HIS|AF{n:06d}^RISB||||ROUTINE|||30|MIN|^^^20260120100000|||||||||||||||P{n:06d}^HIS|F{n:06d}^RISB"
_AIS = "AIS|1||CT123^CT HEAD W/O CONTRAST^L|20260120100000|||30|min"

#: MSH-9 and segments of each message of an exam, in order.
MIX: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("ADT^A04^ADT_A01", ("EVN|A04|20260115090000||||20260115085500", _PID, _PV1)),
    ("OMI^O23^OMI_O23", (_PID, _PV1, _ORC.replace("{control}", "NW"), _TQ1, _OBR, _IPC)),
    ("SIU^S12^SIU_S12", (_SCH, _PID, _PV1, "RGS|1", _AIS, "AIL|1||CT_ROOM^^^NORTH")),
    ("OMI^O23^OMI_O23", (_PID, _PV1, _ORC.replace("{control}", "SC"), _TQ1, _OBR, _IPC)),
    ("ORU^R01^ORU_R01", (_PID, _PV1, _OBR, *(_OBX.replace("{i}", str(i)) for i in range(1, 9)))),
    ("ORU^R01^ORU_R01", (_PID, _PV1, _OBR, *(_OBX.replace("{i}", str(i)) for i in range(1, 13)))),
)

_AFTER_PID = (
    "PD1|||Northgate Family Practice^^10023^^^^NPI|1002^Hale^Ida^M^^DR^MD^^NPI||||N|||||U",
    "NK1|1|Doe^John^R^^Mr.|SPO^Spouse^HL70063|1 Example St^^Sampleton^NY^10001^USA^H|^PRN^PH^^1^555^5550142|"
    "^WPN^PH^^1^555^5550188|C^Emergency contact^HL70131",
)
_AFTER_PV1 = (
    "PV2|||R51^Headache since two days, worse at night\\T\\ on standing^I10|||||20260115|||Walk-in|||||||N",
    "AL1|1|DA^Drug allergy^HL70127|PEN^Penicillin^L|MO^Moderate^HL70128|Rash on both arms~Swollen lips|20190311",
    "DG1|1|I10|R51^Headache^I10|Headache, no trauma|20260115090500|A",
    "GT1|1||Doe^John^R||1 Example St^^Sampleton^NY^10001^USA|^PRN^PH^^1^555^5550142|||M||SE|||||Acme Tools",
    "IN1|1|PPO^Preferred provider plan^L|10044|Sample Health Insurance Company|PO Box 1201^^Albany^NY^12201^USA|"
    "^WPN^PH^^1^555^5550199|G44012|Acme Tools|||20250101|20261231|||Doe^John^R|SPO^Spouse^HL70063|19660203|"
    "1 Example St^^Sampleton^NY^10001^USA|||||||||||||||||W44120098",
    "IN2|1|000-00-0000|||||||||||||||||||||||||||||||||||||||||||||||||||||||||SPO|||^PRN^PH^^1^555^5550142",
)
_NOTE = (
    "NTE|{i}|L|History: headache since two days with nausea, no focal deficit. "
    "Question {i}: bleeding, mass or shift\\F\\edema?"
)
_TEXT = (
    "OBX|{i}|TX|&GDT^Findings|1|Section {i}: the ventricles and sulci are normal for the age of the patient, "
    "grey and white matter are well told apart, there is no shift of the midline and no collection outside "
    "the brain.||||||F|||20260115112500"
)
#: Lines of notes, and of text, that a message of the mix has more.
_MORE = ((0, 0), (4, 0), (2, 0), (4, 0), (0, 4), (0, 3))


def _chatty(lines: tuple[str, ...], notes: int, texts: int) -> list[str]:
    found: list[str] = []
    for line in lines:
        found += line, *(_AFTER_PID if line is _PID else ()), *(_AFTER_PV1 if line is _PV1 else ())
    found += (_NOTE.replace("{i}", str(i)) for i in range(1, notes + 1))
    return [*found, *(_TEXT.replace("{i}", str(20 + i)) for i in range(texts))]


def messages(count: int, *, is_bare: bool = False) -> list[str]:
    """The mix, over and over, with identifiers of its own for each exam; if bare, only the segments that are read."""
    made = []
    kinds = [
        (kind, lines if is_bare else _chatty(lines, *more)) for (kind, lines), more in zip(MIX, _MORE, strict=True)
    ]
    for n in range(count):
        kind, lines = kinds[n % len(MIX)]
        status = ("", "SC", "", "CM", "P", "F")[n % len(MIX)]
        head = f"MSH|^~\\&|RISB|NORTH|HUB|NET|20260115094500-0500||{kind}|C{n:08d}|P|2.5.1||||||UNICODE UTF-8"
        made.append("\r".join([head, *(line.format(n=n // len(MIX), status=status) for line in lines)]) + "\r")
    return made
