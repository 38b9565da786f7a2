-- id: critical_communication
-- title: Critical results told in time
-- question: How often does somebody learn of a critical result within the limit of its category?
-- unit: share
-- better: higher
-- kind: ratio
-- statistic: value
-- numerator: critical results told within the limit of their category
-- denominator: critical results of a category with a limit whose outcome is known
-- clock_start: critical_found
-- clock_stop: critical_communicated
-- includes: critical results of exams that count; one that nobody told and that is past its limit has missed it
-- excludes: results without a category or whose category has no limit; results that still wait within their limit
-- nulls: results told before they were found have no value
-- min_n: 10
-- table: fct_exam
-- anchor: critical_found_at by the facility's clock
-- groups: facility, modality, device, priority, patient_class, service_line, procedure, radiologist, shift, weekday, hour
-- filters: since, until, facility, modality, priority, patient_class, service_line, device, radiologist, procedure
-- target: all of them
-- reference: limits by category: targets of the site for critical_communication:<category>, the most specific one valid that day
-- version: 2
-- since: 0.1.0
-- history: 1 | 2026-11-25 | f2e3f883eddb | first definition
-- history: 2 | 2026-11-28 | 023fe3007dee | a limit is valid by the facility's own day
SELECT e.exam_key, timezone(z.zone, timezone('UTC', e.critical_found_at)) AS period_local,
       CASE WHEN e.critical_communicated_at < e.critical_found_at THEN NULL
            WHEN e.critical_communicated_at <= e.critical_found_at + to_seconds(c.limit_min * 60) THEN 1
            WHEN e.critical_communicated_at IS NOT NULL
                OR e.critical_found_at + to_seconds(c.limit_min * 60) < s.data_through THEN 0 END AS numerator,
       CASE WHEN e.critical_communicated_at < e.critical_found_at THEN 'negative|told before it was found'
            ELSE 'waiting|within its limit' END AS why_null,
       e.facility, e.modality, e.device, e.priority, e.patient_class, e.service_line, e.procedure, e.radiologist
FROM fct_exam e
JOIN dim_facility z ON z.facility = e.facility
CROSS JOIN meta_snapshot s
JOIN (SELECT x.exam_key,
             arg_max(t.target_min, row(
                 CAST(t.facility IS NOT NULL AS INTEGER) + CAST(t.modality IS NOT NULL AS INTEGER)
                     + CAST(t.priority IS NOT NULL AS INTEGER) + CAST(t.patient_class IS NOT NULL AS INTEGER),
                 coalesce(t.valid_from, DATE '0001-01-01'), -t.target_min)) AS limit_min
      FROM (SELECT f.exam_key, f.facility, f.modality, f.priority, f.patient_class,
                   CAST(timezone(d.zone, timezone('UTC', f.critical_found_at)) AS DATE) AS found_on
            FROM fct_exam f
            JOIN dim_facility d ON d.facility = f.facility) x
      JOIN (SELECT v.exam_key, arg_max(v.detail, row(v.event_number, v.detail)) AS category
            FROM fct_exam_event v
            WHERE v.code = 'critical_found' AND v.detail IS NOT NULL
            GROUP BY v.exam_key) k ON k.exam_key = x.exam_key
      JOIN dim_target t ON t.metric = 'critical_communication:' || k.category
          AND (t.facility IS NULL OR t.facility = x.facility)
          AND (t.modality IS NULL OR t.modality = x.modality)
          AND (t.priority IS NULL OR t.priority = x.priority)
          AND (t.patient_class IS NULL OR t.patient_class = x.patient_class)
          AND (t.valid_from IS NULL OR t.valid_from <= x.found_on)
          AND (t.valid_to IS NULL OR t.valid_to > x.found_on)
      GROUP BY x.exam_key) c ON c.exam_key = e.exam_key
WHERE e.is_countable
