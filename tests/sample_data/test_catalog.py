"""Local names: most decided by the site, some left to the text matcher, a few that say nothing."""

from __future__ import annotations

from collections import Counter

from etl.procedures import match_name, procedures
from tests.sample_data.stories import NETWORK

NAMES = list(NETWORK.names.values())


def test_codes_are_unique_within_a_facility_and_no_cpt() -> None:
    keys = [(name.facility, name.code) for name in NAMES]
    assert len(keys) == len(set(keys))
    assert not any(name.code.isdigit() for name in NAMES)


def test_shares_of_mapped_names() -> None:
    counts = Counter(name.mapped_by for name in NAMES)
    assert 0.75 <= counts["site"] / len(NAMES) <= 0.87
    assert 0.10 <= counts["text"] / len(NAMES) <= 0.20
    assert 0.03 <= counts["none"] / len(NAMES) <= 0.08


def test_names_left_to_the_matcher_can_be_matched() -> None:
    wrong = [
        (name.text, found)
        for name in NAMES
        if name.mapped_by == "text"
        and (found := match_name(name.text, NETWORK.procedures[name.procedure].modality).procedure) != name.procedure
    ]
    assert wrong == []


def test_hopeless_names_match_nothing() -> None:
    for name in NAMES:
        if name.mapped_by == "none":
            assert match_name(name.text, NETWORK.procedures[name.procedure].modality).procedure is None


def test_every_procedure_has_a_charge_and_is_known_to_the_table() -> None:
    assert set(NETWORK.procedures) <= {p.id for p in procedures()}
    charges = [p.charge for p in NETWORK.procedures.values()]
    assert len(set(charges)) == len(charges)
    assert all(p.wrvu > 0 for p in NETWORK.procedures.values())
