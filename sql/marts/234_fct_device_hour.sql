-- name: fct_device_hour
-- grain: device, hour of the wall clock
-- key: device, hour_at
-- purpose: Staffed, busy, idle and overtime minutes of every hour in service up to the data cut-off.
-- materialize: table
-- scope: device CAST(hour_local AS DATE)
-- sorted_by: month of hour_at, facility, hour_at
-- column: device VARCHAR - | device
-- column: facility VARCHAR - | facility
-- column: modality VARCHAR - | modality
-- column: hour_at TIMESTAMP UTC | begin of the hour
-- column: hour_local TIMESTAMP local | wall clock of the facility
-- column: observed_min DOUBLE min | minutes of the hour up to the data cut-off
-- column: staffed_min DOUBLE min | staffed minutes up to the data cut-off
-- column: busy_min DOUBLE min | union of sessions
-- column: busy_staffed_min DOUBLE min | busy within staffed time
-- column: idle_min DOUBLE min | staffed and not busy
-- column: overtime_min DOUBLE min | busy outside staffed time
-- column: n_exams BIGINT exams | exams that count and began in the hour
-- column: n_exams_staffed BIGINT exams | of these, begun in staffed time
-- column: hour INTEGER h | 0 to 23, local
-- column: weekday INTEGER - | ISO, 1 Monday to 7 Sunday, local
SELECT m.device, m.facility, m.modality, m.hour_at, m.hour_local, m.observed_min, m.staffed_min, m.busy_min,
       m.busy_staffed_min,
       greatest(m.staffed_min - m.busy_staffed_min, 0) AS idle_min,
       greatest(m.busy_min - m.busy_staffed_min, 0) AS overtime_min,
       m.n_exams, m.n_exams_staffed, CAST(hour(m.hour_local) AS INTEGER) AS hour, CAST(isodow(m.hour_local) AS INTEGER) AS weekday
FROM (SELECT c.device, c.facility, c.modality, c.hour_at, c.hour_local, c.cut_min AS observed_min,
             coalesce(s.staffed_min, 0.0) AS staffed_min,
             coalesce(b.busy_min, 0.0) AS busy_min, coalesce(w.busy_staffed_min, 0.0) AS busy_staffed_min,
             coalesce(e.n_exams, 0) AS n_exams, coalesce(e.n_exams_staffed, 0) AS n_exams_staffed
      FROM device_clock c
      LEFT JOIN (SELECT l.device, l.hour_at, sum(seconds_between(l.staffed_from, l.staffed_to)) / 60 AS staffed_min
                 FROM staffed_piece l GROUP BY l.device, l.hour_at) s ON s.device = c.device AND s.hour_at = c.hour_at
      LEFT JOIN (SELECT p.device, p.hour_at, sum(seconds_between(p.started_at, p.ended_at)) / 60 AS busy_min
                 FROM device_piece p GROUP BY p.device, p.hour_at) b ON b.device = c.device AND b.hour_at = c.hour_at
      LEFT JOIN (SELECT q.device, q.hour_at, sum(q.seconds) / 60 AS busy_staffed_min
                 FROM busy_staffed_piece q GROUP BY q.device, q.hour_at) w
          ON w.device = c.device AND w.hour_at = c.hour_at
      LEFT JOIN (SELECT x.device, x.hour_at, count(*) AS n_exams, count(*) FILTER (WHERE x.is_staffed) AS n_exams_staffed
                 FROM device_start x GROUP BY x.device, x.hour_at) e
          ON e.device = c.device AND e.hour_at = c.hour_at) m
WHERE m.observed_min > 0 OR m.busy_min > 0 OR m.n_exams > 0
