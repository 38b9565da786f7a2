"""Outside imaging of transferred patients: declared with the order, sometimes imported, sometimes repeated."""

from __future__ import annotations

from datetime import datetime, timedelta
from random import Random

from sample_data.catalog import Procedure
from sample_data.network import Network
from sample_data.story import OutsidePrior

#: Share of CT and MR orders that answer the question about outside imaging, by facility and patient class.
ASKED = {("NORTH", "E"): 0.14, ("NORTH", "I"): 0.18, ("EAST", "E"): 0.12, ("EAST", "I"): 0.12, ("WEST", "O"): 0.05}
#: Answers by facility. EAST has no importing at all.
ANSWERS = {
    "NORTH": {"imported": 50, "held": 15, "unavailable": 10, "none": 25},
    "EAST": {"imported": 0, "held": 42, "unavailable": 26, "none": 32},
    "WEST": {"imported": 20, "held": 30, "unavailable": 10, "none": 40},
}
#: Chance that the outside study is repeated here, as measured by Lu et al., AJR 2012;198:628-634.
REPEATED = {"imported": 0.11, "held": 0.52, "unavailable": 0.72, "none": 0.13}
#: An outside study that the exam at hand does not repeat: same region, other modality.
OTHER_MODALITY = {"CT": "MR", "MR": "CT"}
INSTITUTIONS = ("RIVERSIDE GENERAL", "HILLTOP MEDICAL CENTER", "LAKESHORE URGENT CARE")


def declare(
    rng: Random, network: Network, where: tuple[str, str], procedure: Procedure, at: datetime
) -> OutsidePrior | None:
    """The answer to the outside imaging question at (facility, patient class), or None where it is not asked."""
    facility, share = where[0], ASKED.get(where, 0.0)
    is_clear = procedure.modality in OTHER_MODALITY and network.names[facility, procedure.id].mapped_by != "none"
    if not is_clear or rng.random() >= share:
        return None
    answers = ANSWERS[facility]
    status = rng.choices(list(answers), list(answers.values()))[0]
    if status == "none":
        return OutsidePrior("none")
    is_repeated = rng.random() < REPEATED[status]
    modality = procedure.modality if is_repeated else OTHER_MODALITY[procedure.modality]
    imported_at = at - timedelta(minutes=rng.randrange(15, 240)) if status == "imported" else None
    return OutsidePrior(
        status,
        modality,
        procedure.region,
        f"2.25.{rng.getrandbits(100)}",
        rng.choice(INSTITUTIONS),
        (imported_at or at) - timedelta(days=rng.randrange(1, 40), minutes=rng.randrange(1440)),
        imported_at.replace(microsecond=0) if imported_at else None,
    )
