"""The feed that is measured: as long as real ones, and what it says is what its bare messages say."""

from __future__ import annotations

from etl.records import Parsed
from etl.sources import hl7
from tests.bench.bench_hl7 import SITE
from tests.bench.hl7_feed import messages


def _parsed(*, is_bare: bool) -> Parsed:
    return hl7.parse("".join(messages(60, is_bare=is_bare)).encode(), SITE)


def test_segments_that_nobody_reads_change_no_row() -> None:
    full, bare = _parsed(is_bare=False), _parsed(is_bare=True)
    assert full.read == bare.read == 60
    assert not full.defects
    assert not full.rejected
    assert full.envelopes.rows == bare.envelopes.rows
    assert full.rows.keys() == bare.rows.keys() >= {"event", "order", "appointment", "report"}
    for record in full.rows.keys() - {"report"}:  # whose text is longer
        assert full.rows[record].rows == bare.rows[record].rows
    assert full.rows["report"].n == bare.rows["report"].n


def test_messages_are_as_long_as_those_of_interface_engines() -> None:
    assert 2_300 < sum(map(len, messages(6))) / 6 < 2_600
