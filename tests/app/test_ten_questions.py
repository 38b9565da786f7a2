"""Ten questions that a new manager answers in the first hour: each by real clicks from the front page, read from it and
compared with a question of its own to the snapshot. The clicks are those that the README promises."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from playwright.sync_api import Locator, Page, expect

from app import words
from sql import query
from sql.filters import Filters
from sql.snapshot import Snapshot, open_snapshot
from tests.app.serving import serving
from tests.app.watching import LOADED, Tabs, Watched
from tests.conftest import REPO
from tests.published import Published

_ROW = re.compile(r"^\| (\d+) \| (.+?) \| .+? \| (\d) \|", re.MULTILINE)


class Front:
    """The front page, and every click from there."""

    def __init__(self, seen: Watched) -> None:
        self.page: Page = seen.open("/", "overview")
        self.clicks = 0

    def click(self, what: Locator) -> None:
        self.clicks += 1
        what.click()

    def go(self, menu: str, name: str) -> None:
        self.click(self.page.get_by_role("link", name=menu, exact=True))
        self.page.wait_for_selector(f".page-{name}", timeout=LOADED)

    def card(self, title: str) -> Locator:
        return self.page.locator("section", has=self.page.get_by_role("heading", name=title, exact=True))

    def rows(self, title: str) -> list[list[str]]:
        """Cells of a card's first table."""
        found = self.card(title).locator("table").first.locator("tbody tr")
        expect(found.first).to_be_visible(timeout=LOADED)
        return found.evaluate_all("rows => rows.map(row => [...row.cells].map(one => one.innerText.trim()))")  # type: ignore[no-any-return]


@pytest.fixture(scope="module")
def seen(tabs: Tabs, published: Published) -> Iterator[Watched]:
    """A page over the simulated network, which has a period to compare with."""
    with serving(published.home.published) as at, tabs.watched(at) as made:
        yield made


@pytest.fixture(scope="module")
def snapshot(published: Published) -> Snapshot:
    return open_snapshot(published.snapshot)


def names(snapshot: Snapshot, group: str) -> dict[str, str]:
    table = query.rows(snapshot, f"dim_{group}", columns=(group, f"{group}_name"), limit=10_000)
    return dict(table.iter_rows())


def window(snapshot: Snapshot) -> Filters:
    """What the front page shows without any choice."""
    return Filters.default(snapshot.data_through)


def is_anything_wrong(front: Front, snapshot: Snapshot) -> None:
    expect(front.page.locator(".findings li").first).to_be_visible()
    shown = {row[0]: row[7].splitlines() for row in front.rows("Facilities")}
    late = query.metric(snapshot, "backlog", groups=("facility",), statistic="past_target")
    waiting = query.metric(snapshot, "backlog", groups=("facility",), statistic="waiting")
    places = names(snapshot, "facility")
    by_place = {places[k]: v for k, v in late.select("group_value", "value").iter_rows()}
    assert waiting.height > 0
    for place, value in waiting.select("group_value", "value").iter_rows():
        told = shown[places[place]]
        assert told[0].replace(",", "") == f"{value:.0f}"
        assert told[1].startswith(f"{by_place[places[place]]:.0f} past target")


def why_did_it_change(front: Front, snapshot: Snapshot) -> None:
    place, name = next(item for item in sorted(names(snapshot, "facility").items()) if item[0] == "NORTH")
    front.click(front.card("Facilities").get_by_role("link", name=name, exact=True))
    of_place = front.page.locator('a[href*="/metric"][href*="facility=NORTH"]', has_text="Look into it")
    front.click(of_place.first)
    front.page.wait_for_selector(".page-metric", timeout=LOADED)
    told = front.page.locator(".turn").first
    expect(told).to_be_visible(timeout=LOADED)
    found = query.compare(snapshot, "report_final", filters=window(snapshot).replace(facility=(place,)))
    (whole,) = found.iter_rows(named=True)
    assert words.value(whole["value"], "min") in told.inner_text()
    assert words.delta(abs(whole["delta"]), "min").removeprefix("+") in told.inner_text()


def which_scanner_has_room(front: Front, snapshot: Snapshot) -> None:
    front.go("Utilization", "utilization")
    label = front.card("Devices").locator("thead th").evaluate_all("all => all.map(one => one.innerText.trim())")
    told = {row[0]: row[label.index("Room for")] for row in front.rows("Devices")}
    asked = window(snapshot)
    assert asked.since is not None
    assert asked.until is not None
    fits = snapshot.execute(
        """SELECT h.device, sum(h.idle_min / (u.exam_min + coalesce(u.turnover_min, 0))) / 4 AS weekly
        FROM fct_device_hour h JOIN dim_device_usual u ON u.device = h.device AND u.exam_min IS NOT NULL
        WHERE h.staffed_min > 0 AND h.hour_local >= $since AND h.hour_local < $until GROUP BY h.device""",
        {"since": asked.since, "until": asked.until},
    )
    assert (asked.until - asked.since).days == 28
    devices = names(snapshot, "device")
    found = {devices[device]: f"{int(weekly + 1e-9):,}/week" for device, weekly in fits.iter_rows()}
    assert found
    assert {name: told[name] for name in found} == found
    room = {devices[device]: weekly for device, weekly in fits.iter_rows() if " MR " in devices[device]}
    for wanted in (7, 12):  # this small network has one or two that could take seven, and none that could take twelve
        could = {name for name in room if int(told[name].partition("/")[0].replace(",", "")) >= wanted}
        assert could == {name for name, weekly in room.items() if weekly >= wanted}
        assert (len(could) in range(1, len(room))) is (wanted == 7)


def who_reads_most(front: Front, snapshot: Snapshot) -> None:
    front.go("Workload", "workload")
    first = front.rows("Readers")[0]
    asked = window(snapshot)
    top = snapshot.execute(
        """SELECT d.label, count(*) AS n FROM fct_read r JOIN dim_radiologist d ON d.radiologist = r.radiologist
        WHERE r.role = 'final' AND r.read_local >= $since AND r.read_local < $until
        GROUP BY d.label ORDER BY n DESC""",
        {"since": asked.since, "until": asked.until},
    )
    leaders = top.filter(n=top["n"][0])["label"].to_list()
    assert first[0] in leaders
    assert first[1].replace(",", "") == str(top["n"][0])


def what_was_repeated_and_from_where(front: Front, snapshot: Snapshot) -> None:
    front.go("Repeat imaging", "repeats")
    told = front.card("Imaged elsewhere, then again here").locator(".turn")
    asked = window(snapshot)
    pairs = snapshot.execute(
        """SELECT r.prior_facility, r.facility, count(*) AS n FROM fct_repeat r WHERE r.kind = 'duplicate'
            AND r.exam_started_local >= $since AND r.exam_started_local < $until
        GROUP BY ALL ORDER BY n DESC""",
        {"since": asked.since, "until": asked.until},
    )
    expect(told).to_contain_text(f"{pairs['n'].sum():,} exams repeat one of another facility", timeout=LOADED)
    assert told.inner_text().endswith(f"{pairs['n'][0]:,}.")
    places = names(snapshot, "facility")
    most = pairs.filter(n=pairs["n"][0])
    assert any(f"{places[row['facility']]} images again what {places[row['prior_facility']]} had" in told.inner_text()
               for row in most.iter_rows(named=True))  # fmt: skip
    priors = {row[0]: row[1] for row in front.rows("Does a missing prior lead to a repeat?")}
    found = query.metric(snapshot, "prior_availability", groups=("availability",), filters=asked)
    assert found.height > 0
    seen = {f"{row['numerator']:.0f} / {row['denominator']:.0f}" for row in found.iter_rows(named=True)}
    assert seen <= set(priors.values())


def what_breaches_next(front: Front, snapshot: Snapshot) -> None:
    front.go("Live", "live")
    found = query.open_exams(snapshot)
    first = front.page.locator("tr[data-exam]").first
    expect(first).to_have_attribute("data-exam", found["exam_key"][0], timeout=LOADED)
    n_over = found.filter(due="over").height
    assert (
        front.page.locator('[data-mark="n_over"]').inner_text().splitlines()[0].replace(",", "").startswith(str(n_over))
    )


def do_we_open_saturdays(front: Front, snapshot: Snapshot) -> None:
    front.go("Admin", "admin")
    front.click(front.page.get_by_role("link", name="Hours and days"))
    told = {row[0].splitlines()[0]: row[6] for row in front.rows("Staffed hours of devices")}
    open_ = {row["device"]: f"{row['opens']}-{row['closes']}" for row in query.rows(
        snapshot, "dim_staffing", where={"weekday": 6}, limit=1_000).iter_rows(named=True)}  # fmt: skip
    devices = names(snapshot, "device")
    assert 0 < len(open_) < len(told)
    assert {name for name, hours in told.items() if hours != words.NO_VALUE} == {devices[name] for name in open_}
    assert all(told[devices[name]] == hours for name, hours in open_.items())


def is_every_feed_alive(front: Front, snapshot: Snapshot) -> None:
    shown = {row[0]: row[8] for row in front.rows("Facilities")}
    silent = query.counts(snapshot, "dq_freshness", by=("facility",), where={"is_silent": True})
    counted = dict(silent.select("facility", "n").iter_rows())
    for place, name in names(snapshot, "facility").items():
        if name in shown:
            assert shown[name] == str(counted.get(place, 0))
    assert len(shown) > 3


def what_is_furthest_from_target(front: Front, snapshot: Snapshot) -> None:
    front.go("Turnaround", "turnaround")
    first = front.rows("Furthest from target")[0]
    asked = window(snapshot)
    found = snapshot.execute(
        """SELECT e.facility, e.modality, count(*) AS n, avg(CAST(e.report_final_min <= e.target_min AS INTEGER)) AS met
        FROM (SELECT f.* REPLACE (coalesce(f.report_final_min, 1e9) AS report_final_min)
              FROM fct_exam f CROSS JOIN meta_snapshot s
              WHERE f.is_countable AND (f.report_final_min >= 0 OR (f.first_final_at IS NULL
                  AND f.exam_ended_at + to_seconds(f.target_min * 60) < s.data_through))) e
        WHERE e.target_min IS NOT NULL AND e.exam_ended_local >= $since AND e.exam_ended_local < $until
        GROUP BY e.facility, e.modality, e.patient_class HAVING count(*) >= 10 ORDER BY met, n DESC""",
        {"since": asked.since, "until": asked.until},
    )
    (worst, *_) = found.iter_rows(named=True)
    assert (first[3], first[4]) == (f"{worst['n']:,}", words.value(worst["met"], "share"))
    assert first[0] in {
        names(snapshot, "facility")[row["facility"]] for row in found.filter(met=worst["met"]).to_dicts()
    }


def what_is_the_target(front: Front, snapshot: Snapshot) -> None:
    front.go("Admin", "admin")
    front.click(front.page.get_by_role("link", name="Targets", exact=True))
    told = {row[0]: row[2:] for row in front.rows("Report targets that held")}
    held = snapshot.execute(
        """SELECT DISTINCT e.target_min FROM fct_exam e WHERE e.is_countable AND e.priority = 'stat'
            AND e.patient_class = 'emergency' AND e.facility = 'NORTH'"""
    )["target_min"].to_list()
    shown = next(cells for group, cells in told.items() if "stat" in group and "emergency" in group)
    assert {cell for cell in shown if cell != words.NO_VALUE} == {words.minutes(target) for target in held}
    stated = front.rows("Targets as stated")
    assert any(row[2] == words.minutes(held[0]) and "stat" in row[1] and row[3] for row in stated)


ANSWERS: tuple[Callable[[Front, Snapshot], None], ...] = (
    is_anything_wrong, why_did_it_change, which_scanner_has_room, who_reads_most, what_was_repeated_and_from_where,
    what_breaches_next, do_we_open_saturdays, is_every_feed_alive, what_is_furthest_from_target, what_is_the_target,
)  # fmt: skip


def promised() -> list[int]:
    """Clicks of each question as the README says."""
    text = (REPO / "README.md").read_text("utf-8")
    part = text.partition("### Ten questions of the first hour")[2].partition("\n#")[0]
    found = _ROW.findall(part)
    assert [int(number) for number, _, _ in found] == list(range(1, 11))
    return [int(clicks) for _, _, clicks in found]


@pytest.mark.parametrize("number", range(10), ids=lambda number: ANSWERS[number].__name__)
def test_the_answer_is_as_many_clicks_away_as_promised(seen: Watched, snapshot: Snapshot, number: int) -> None:
    front = Front(seen)
    ANSWERS[number](front, snapshot)
    assert front.clicks == promised()[number] <= 3


def test_the_default_window_is_four_weeks(snapshot: Snapshot) -> None:
    asked = window(snapshot)
    assert asked.until == snapshot.data_through.date() + timedelta(days=1)
