-- name: backlog_count
-- grain: facility, modality, priority, patient class, UTC hour at which something changed
-- key: facility, modality, priority, patient_class, hour_at
-- purpose: Running counts of waiting exams; each row holds until the hour before the next.
-- materialize: work
-- column: n_waiting BIGINT exams | waiting
-- column: until_at TIMESTAMP UTC | next hour at which the counts change
SELECT d.facility, d.modality, d.priority, d.patient_class, d.hour_at,
       sum(d.n_waiting) OVER g AS n_waiting, sum(d.n_past) OVER g AS n_past_target, sum(d.wrvu) OVER g AS wrvu_waiting,
       lead(d.hour_at) OVER (PARTITION BY d.facility, d.modality, d.priority, d.patient_class ORDER BY d.hour_at)
           AS until_at
FROM (SELECT c.facility, c.modality, c.priority, c.patient_class, c.hour_at, sum(c.n_waiting) AS n_waiting,
             sum(c.n_past) AS n_past, sum(c.wrvu) AS wrvu
      FROM (SELECT facility, modality, priority, patient_class, in_at AS hour_at, n_exams AS n_waiting, 0 AS n_past,
                   wrvu
            FROM backlog_exam
            UNION ALL
            SELECT facility, modality, priority, patient_class, out_at, -n_exams, 0, -wrvu FROM backlog_exam
            UNION ALL
            SELECT facility, modality, priority, patient_class, past_at, 0, n_exams, 0 FROM backlog_exam
            WHERE past_at < out_at
            UNION ALL
            SELECT facility, modality, priority, patient_class, out_at, 0, -n_exams, 0 FROM backlog_exam
            WHERE past_at < out_at) c
      GROUP BY ALL) d
WINDOW g AS (PARTITION BY d.facility, d.modality, d.priority, d.patient_class ORDER BY d.hour_at
             ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)
