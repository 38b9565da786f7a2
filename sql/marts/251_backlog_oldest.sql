-- name: backlog_oldest
-- grain: facility, modality, priority, patient class, UTC hour
-- key: facility, modality, priority, patient_class, hour_at
-- purpose: The exam that has waited longest at each hour: all that ended before it have left.
-- materialize: work
-- column: oldest_at TIMESTAMP UTC | end of that exam
SELECT w.facility, w.modality, w.priority, w.patient_class, w.exam_ended_at AS oldest_at,
       unnest(generate_series(w.from_at, w.out_at - INTERVAL 1 HOUR, INTERVAL 1 HOUR)) AS hour_at
FROM (SELECT r.facility, r.modality, r.priority, r.patient_class, r.exam_ended_at, r.out_at,
             greatest(r.in_at, coalesce(r.earlier_out_at, r.in_at)) AS from_at
      FROM (SELECT b.*, max(b.out_at) OVER (
                       PARTITION BY b.facility, b.modality, b.priority, b.patient_class, b.from_at
                       ORDER BY b.exam_ended_at, b.out_at
                       ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS earlier_out_at
            FROM backlog_exam b) r) w
WHERE w.from_at < w.out_at
