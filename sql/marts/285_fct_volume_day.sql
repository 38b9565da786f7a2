-- name: fct_volume_day
-- grain: facility, modality, six hours of a day
-- key: facility, modality, hour_from, day_local
-- purpose: Exams that count by the hours in which they ended; the forecast is made from it. Hours without any have no row.
-- materialize: table
-- scope: tally
-- sorted_by: month of day_local, facility, day_local
-- column: facility VARCHAR - | facility
-- column: modality VARCHAR - | modality
-- column: hour_from INTEGER h | first hour: 0, 6, 12 or 18
-- column: day_local DATE local | day
-- column: n_exams BIGINT exams | exams
SELECT e.facility, e.modality, CAST(6 * floor(hour(e.exam_ended_local) / 6) AS INTEGER) AS hour_from,
       CAST(e.exam_ended_local AS DATE) AS day_local, CAST(sum(e.sign) AS BIGINT) AS n_exams
FROM fct_exam_change e
WHERE e.is_countable AND e.exam_ended_local IS NOT NULL
GROUP BY ALL
