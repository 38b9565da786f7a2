"""Containers: the same resource is the same message anywhere, and what is broken is lost alone."""

from __future__ import annotations

import json
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from etl.row_frames import frames_of
from etl.sources import fhir, sniff
from tests.etl.fhir_resources import SITE, bundle, dump, lines, one_of_each, order, parse, resource, rows

PATIENT = resource("Patient", "p", identifier=[{"system": "urn:oid:2.25.1", "value": "M1"}])
TASK = resource(
    "Task", "t", status="completed", code={"coding": [{"code": "arrived"}]}, focus={"reference": "ServiceRequest/o"},
    executionPeriod={"end": "2026-10-19T10:00:00Z"},
)  # fmt: skip
ALL = (order(), PATIENT, TASK)


def outcome(data: bytes) -> tuple[set[bytes], set[tuple[str, str]]]:
    """Messages of a file, and its rows without their place."""
    parsed = fhir.parse(data, SITE)
    assert parsed.read == len(fhir.messages(data))
    assert parsed.rejected == []
    found = set()
    for record in parsed.rows:
        for row in rows(parsed, record):
            del row["position"]
            found.add((record, repr(sorted(row.items()))))
    return set(fhir.messages(data)), found


def pretty(value: Any) -> bytes:
    return b"\xef\xbb\xbf" + json.dumps(value, indent=2).replace("\n", "\r\n").encode()


def test_same_messages_and_rows_in_any_container() -> None:
    whole = outcome(lines(*ALL))
    assert len(whole[0]) == 3
    assert len(whole[1]) == 4  # order, ordered, same, arrived
    containers = [
        bundle(*ALL, kind="searchset"),
        bundle(*reversed(ALL), kind="transaction"),
        pretty(json.loads(bundle(*ALL))),
        pretty(list(ALL)),
        dump(list(ALL)),
        b"\r\n".join([dump(ALL[0]), b"", bundle(*ALL[1:])]),
        bundle(json.loads(bundle(*ALL))),
        b'{"resourceType":"Bundle","entry":[\n' + b",\n".join(dump({"resource": r}) for r in ALL) + b"]}",
    ]
    for container in containers:
        assert sniff(container) == "fhir"
        assert outcome(container) == whole
    alone = [outcome(pretty(one)) for one in ALL]
    assert (set().union(*(a[0] for a in alone)), set().union(*(a[1] for a in alone))) == whole


def test_order_of_keys_is_no_difference() -> None:
    turned = dict(reversed(order().items()))
    assert fhir.messages(dump(turned)) == fhir.messages(dump(order()))


def test_truncated_last_line_is_rejected_alone() -> None:
    data = lines(*ALL)[:-20]
    parsed = fhir.parse(data, SITE)
    assert (parsed.read, [(r.position, r.reason) for r in parsed.rejected]) == (3, [(2, "bad_json")])
    assert fhir.messages(data)[2] == dump(TASK)[:-19]
    assert parsed.rows["order"].n == 1


def test_first_line_of_several_is_rejected_alone() -> None:
    parsed = fhir.parse(b'{"resourceType": "Pat\n' + lines(*ALL), SITE)
    assert (parsed.read, [(r.position, r.reason) for r in parsed.rejected]) == (4, [(0, "bad_json")])


def deep(levels: int) -> bytes:
    return b'{"resourceType":"Patient","extension":' + b"[" * levels + b"]" * levels + b"}"


BROKEN = {
    "bad_json": b'{"resourceType": "Patient", "id": ',
    "bad_encoding": b'{"resourceType":"Patient","id":"\xff"}',
    "duplicate_key": b'{"resourceType":"Patient","id":"1","name":[{"text":"a","text":"b"}]}',
    "no_resource_type": b'[{"id":"1"}]',
    "unsupported_type": b'{"resourceType":"Pateint","id":"1"}',
    "not_an_object": b'["resourceType"]',
    "too_deep": deep(5000),
    "bad_bundle": b'{"resourceType":"Bundle","entry":[7]}',
}


@pytest.mark.parametrize("reason", BROKEN)
def test_broken(reason: str) -> None:
    parsed = fhir.parse(BROKEN[reason], SITE)
    assert [r.reason for r in parsed.rejected] == [reason]
    assert parsed.read == len(fhir.messages(BROKEN[reason])) == 1
    assert reason in fhir.REASONS


@pytest.mark.parametrize("number", [b"NaN", b"-Infinity", b"9" * 5000])
def test_what_is_no_json_number(number: bytes) -> None:
    parsed = fhir.parse(b'{"resourceType":"Appointment","minutesDuration":' + number + b"}", SITE)
    assert [r.reason for r in parsed.rejected] == ["bad_json"]


def test_too_large_and_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("etl.sources.fhir_file.MAX_RESOURCE_BYTES", 200)
    monkeypatch.setattr("etl.sources.fhir_file.MAX_ENTRIES", 2)
    small = resource("Patient", "1")
    large = resource("Patient", "2", name=[{"text": "x" * 200}])
    assert [r.reason for r in parse(small, large).rejected] == ["too_large"]
    assert [r.reason for r in fhir.parse(bundle(small, large), SITE).rejected] == ["too_large"]
    assert [r.reason for r in fhir.parse(bundle(small, small, small), SITE).rejected] == ["too_many_entries"]


def test_bundle_in_bundle_ends() -> None:
    data = dump(PATIENT)
    for _ in range(3):
        data = bundle(json.loads(data))
    assert fhir.parse(data, SITE).rejected == []
    assert [r.reason for r in fhir.parse(bundle(json.loads(data)), SITE).rejected] == ["too_deep"]


def test_duplicate_key_spoils_its_own_resource_only() -> None:
    good = dump(PATIENT)
    data = (
        b'{"resourceType":"Bundle","entry":[{"resource":' + good + b'},{"resource":' + BROKEN["duplicate_key"] + b"}]}"
    )
    parsed = fhir.parse(data, SITE)
    assert [(r.position, r.reason) for r in parsed.rejected] == [(1, "duplicate_key")]
    assert fhir.messages(data)[0] == fhir.messages(good)[0]


def test_entries_without_a_resource_are_no_messages() -> None:
    entries = [{"response": {"status": "201"}}, {"request": {"method": "GET", "url": "Patient/1"}}]
    parsed = fhir.parse(dump({"resourceType": "Bundle", "type": "batch", "entry": entries}), SITE)
    assert (parsed.read, parsed.rejected) == (0, [])


def test_types_without_rows_are_kept() -> None:
    parsed = parse(resource("OperationOutcome"), resource("Observation"), resource("Endpoint"))
    assert (parsed.read, parsed.rejected, parsed.rows) == (3, [], {})


#: What stands where something else should.
ODD: tuple[Any, ...] = (
    None, True, -1, 1e300, 10**400, "", "x" * 5000, "\ud800", "a\0b", [], {}, [[]], [None, {}, 7], "#", "#x",
    "urn:uuid:1", {"reference": {"reference": {"reference": "#x"}}}, {"coding": {"code": 5}}, "ServiceRequest/",
    "0000-00-00", "2026-13", "9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+14:00", "2026-10-19T24:00:00Z",
)  # fmt: skip


def places(node: Any) -> list[tuple[Any, Any]]:
    """Every (container, key) below a node."""
    found: list[tuple[Any, Any]] = []
    if isinstance(node, dict | list):
        for key in list(node) if isinstance(node, dict) else range(len(node)):
            found += [(node, key), *places(node[key])]
    return found


@pytest.mark.parametrize("number", range(len(one_of_each())))
def test_any_element_may_hold_anything(number: int) -> None:
    """Each element of each type in turn; the rows must fit the columns."""
    for place in range(1, len(places(one_of_each()[number]))):
        bodies = []
        for odd in ODD:
            body = one_of_each()[number]
            container, key = places(body)[place]
            container[key] = odd
            bodies.append(body)
        data = dump(bodies)
        parsed = fhir.parse(data, SITE)
        assert parsed.read == len(fhir.messages(data)) == len(ODD)
        frames_of("file", parsed)


@given(st.lists(st.tuples(st.integers(0, 7), st.integers(0, 200), st.sampled_from(ODD)), max_size=6))
def test_several_odd_elements(changes: list[tuple[int, int, Any]]) -> None:
    bodies = one_of_each()
    for number, place, odd in changes:
        known = places(bodies[number])
        container, key = known[place % len(known)]
        container[key] = deepcopy(odd)
    data = lines(*bodies)
    parsed = fhir.parse(data, SITE)
    assert parsed.read == len(fhir.messages(data)) == 8
    frames_of("file", parsed)


@given(st.binary(max_size=200), st.integers(0, 600))
def test_any_bytes_are_read_or_rejected(noise: bytes, at: int) -> None:
    data = lines(*ALL)
    data = data[:at] + noise + data[at + len(noise) :]
    parsed = fhir.parse(data, SITE)
    assert parsed.read == len(fhir.messages(data))
