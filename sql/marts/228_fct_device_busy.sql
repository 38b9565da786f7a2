-- name: fct_device_busy
-- grain: session of one patient on one device
-- key: device, busy_started_at, session_number
-- purpose: Busy intervals: one patient's exams on a device that touch or overlap, with the gap before.
-- materialize: table
-- scope: device busy_date
-- sorted_by: month of busy_started_at, facility, busy_started_at
-- column: device VARCHAR - | device
-- column: facility VARCHAR - | facility
-- column: modality VARCHAR - | modality of the first exam
-- column: busy_started_at TIMESTAMP UTC | begin of the first exam
-- column: busy_ended_at TIMESTAMP UTC | end of the last
-- column: busy_started_local TIMESTAMP local | wall clock of the facility
-- column: busy_date DATE local | day of the begin
-- column: n_exams BIGINT exams | exams in it
-- column: session_number BIGINT - | of the device and day, from 1
-- column: gap_before_min DOUBLE min | since the device was last busy that day; negative where sessions overlap
-- column: is_same_block BOOLEAN - | the gap lies inside one staffed block
-- column: is_turnover BOOLEAN - | gap of 0 to 60 min inside one staffed block
SELECT g.device, g.facility, g.modality, g.busy_started_at, g.busy_ended_at, g.busy_started_local, g.busy_date,
       g.n_exams, g.session_number, g.gap_before_min, g.is_same_block,
       g.is_same_block AND g.gap_before_min >= 0 AND g.gap_before_min <= 60 AS is_turnover
FROM (SELECT s.device, s.facility, s.modality, s.busy_started_at, s.busy_ended_at, s.busy_started_local, s.busy_date,
             s.n_exams, s.session_number, minutes_between(s.previous_ended_at, s.busy_started_at) AS gap_before_min,
             bool_or(b.device IS NOT NULL) AS is_same_block
      FROM session_gap s
      LEFT JOIN device_block b ON b.device = s.device AND b.day_local = s.busy_date
          AND b.opens_local <= s.previous_ended_local AND b.closes_local >= s.busy_started_local
      GROUP BY ALL) g
