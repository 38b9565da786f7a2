-- name: fct_device_day
-- grain: device, local day
-- key: device, day_local
-- purpose: A device's staffed or busy day: staffed, busy and overtime minutes, first case against opening time.
-- materialize: table
-- scope: device day_local
-- sorted_by: month of day_local, facility, day_local
-- column: device VARCHAR - | device
-- column: facility VARCHAR - | facility
-- column: modality VARCHAR - | modality
-- column: day_local DATE local | day
-- column: opens_local TIMESTAMP local | begin of the first staffed block, NULL on a day without
-- column: closes_local TIMESTAMP local | end of the last staffed block
-- column: staffed_min DOUBLE min | up to the data cut-off
-- column: busy_min DOUBLE min | union of sessions
-- column: busy_staffed_min DOUBLE min | busy within staffed time
-- column: overtime_min DOUBLE min | busy outside staffed time
-- column: n_exams BIGINT exams | exams that count and began
-- column: first_started_local TIMESTAMP local | first session that starts later than 60 min before opening
-- column: late_min DOUBLE min | its start after opening
-- column: is_on_time BOOLEAN - | at most 15 min after opening; NULL where no session or not staffed
SELECT d.device, d.facility, d.modality, d.day_local, d.opens_local, d.closes_local, d.staffed_min, d.busy_min,
       d.busy_staffed_min, d.overtime_min, d.n_exams, d.first_started_local,
       minutes_between(d.opens_local, d.first_started_local) AS late_min,
       d.first_started_local <= d.opens_local + INTERVAL 15 MINUTE AS is_on_time
FROM (SELECT h.device, h.facility, h.modality, h.day_local, b.opens_local, b.closes_local, h.staffed_min, h.busy_min,
             h.busy_staffed_min, h.overtime_min, h.n_exams, min(s.busy_started_local) AS first_started_local
      FROM (SELECT x.device, x.facility, x.modality, CAST(x.hour_local AS DATE) AS day_local,
                   sum(round(x.staffed_min * 60)) / 60 AS staffed_min, sum(round(x.busy_min * 60)) / 60 AS busy_min,
                   sum(round(x.busy_staffed_min * 60)) / 60 AS busy_staffed_min,
                   sum(round(x.overtime_min * 60)) / 60 AS overtime_min,
                   CAST(sum(x.n_exams) AS BIGINT) AS n_exams
            FROM fct_device_hour x
            JOIN touched_device t ON t.device = x.device AND CAST(x.hour_local AS DATE) >= t.since_day
                AND CAST(x.hour_local AS DATE) < t.until_day
            WHERE x.hour_local >= (SELECT CAST(min(k.since_day) AS TIMESTAMP) FROM touched_device k)
            GROUP BY ALL
            HAVING sum(x.staffed_min) > 0 OR sum(x.busy_min) > 0 OR sum(x.n_exams) > 0) h
      LEFT JOIN (SELECT k.device, k.day_local, min(k.opens_local) AS opens_local, max(k.closes_local) AS closes_local
                 FROM device_block k GROUP BY k.device, k.day_local) b
          ON b.device = h.device AND b.day_local = h.day_local
      LEFT JOIN fct_device_busy s ON s.device = h.device AND s.busy_date = h.day_local
          AND s.busy_started_local >= b.opens_local - INTERVAL 60 MINUTE
      GROUP BY ALL) d
