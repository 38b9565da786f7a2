-- name: fct_device_start_day
-- grain: device, facility and modality of the exams, local day
-- key: device, facility, modality, day_local
-- purpose: Days on which exams began on a device, as counts that a night adds to.
-- materialize: table
-- scope: tally
-- least: first_at
-- again: fct_exam exam_started_at day_local
-- column: device VARCHAR - | device
-- column: facility VARCHAR - | facility of the exams
-- column: modality VARCHAR - | modality of the exams
-- column: day_local DATE local | day, by the wall clock of the facility that the site lists for the device, else the exam's
-- column: n_exams BIGINT exams | exams with a begin, images of other places left out
-- column: first_at TIMESTAMP UTC | first of these begins
SELECT e.device, e.facility, e.modality, CAST(local_at(e.exam_started_at, e.zone) AS DATE) AS day_local,
       CAST(sum(e.sign) AS BIGINT) AS n_exams, min(e.exam_started_at) FILTER (WHERE e.sign > 0) AS first_at,
       min(e.exam_started_at) FILTER (WHERE e.sign < 0) AS lost_first_at
FROM (SELECT c.device, c.facility, c.modality, c.exam_started_at, c.sign, coalesce(z.zone, d.default_zone) AS zone
      FROM fct_exam_change c
      CROSS JOIN site_zone d
      LEFT JOIN (SELECT v.device, min(v.facility) AS facility FROM site_devices v GROUP BY v.device) s
          ON s.device = c.device
      LEFT JOIN site_facility z ON z.facility = coalesce(s.facility, c.facility)
      WHERE c.device IS NOT NULL AND NOT c.is_imported AND c.exam_started_at IS NOT NULL) e
GROUP BY e.device, e.facility, e.modality, CAST(local_at(e.exam_started_at, e.zone) AS DATE)
