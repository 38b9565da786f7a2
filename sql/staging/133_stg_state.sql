-- name: stg_state
-- grain: exam with events
-- key: exam_key
-- purpose: What became of the order: the last word that opens or closes it, by its message where it has no instant.
-- materialize: table
-- column: exam_key VARCHAR - | exam
-- column: is_cancelled BOOLEAN - | the last word was a cancel and the exam was not performed
-- column: is_discontinued BOOLEAN - | the last performed step was given up
-- column: discontinued_reason VARCHAR - | reason last told, as sent: a code of CID 9300 by the performed step
SELECT s.exam_key,
       NOT s.is_performed AND s.cancelled_at IS NOT NULL
           AND s.cancelled_at >= coalesce(s.opened_at, s.cancelled_at)
           AND s.cancelled_at IS DISTINCT FROM s.replacement_at AS is_cancelled,
       NOT s.is_performed AND s.no_show_at IS NOT NULL
           AND s.no_show_at >= coalesce(s.opened_at, s.no_show_at) AS is_no_show,
       s.discontinued_at IS NOT NULL AND s.discontinued_at >= coalesce(s.step_ended_at, s.discontinued_at)
           AS is_discontinued,
       s.discontinued_reason, s.is_imported
FROM (SELECT e.exam_key,
             max(e.at) FILTER (WHERE e.code = 'cancelled') AS cancelled_at,
             max(e.at) FILTER (WHERE e.code = 'no_show') AS no_show_at,
             max(e.at) FILTER (WHERE e.code = 'discontinued') AS discontinued_at,
             arg_max(e.reason, concat(e.at, ' ', e.reason))
                 FILTER (WHERE e.code = 'discontinued' AND e.reason IS NOT NULL) AS discontinued_reason,
             max(e.at) FILTER (WHERE e.code = 'exam_ended' AND e.origin IN ('mpps', 'ris')) AS step_ended_at,
             max(e.at) FILTER (WHERE e.code IN ('scheduled', 'rescheduled', 'arrived', 'protocoled', 'exam_started')
                               OR (e.code = 'ordered' AND e.origin = 'order')) AS opened_at,
             bool_or(e.code IN ('exam_ended', 'preliminary_report', 'final_report', 'corrected_report', 'addendum'))
                 AS is_performed,
             max(e.at) FILTER (WHERE e.detail = 'replacement') AS replacement_at,
             bool_or(e.code = 'images_imported') AS is_imported
      FROM (SELECT a.exam_key, a.code, coalesce(a.at, a.message_at) AS at, a.origin, a.detail,
                   coalesce(a.detail, a.reason_code) AS reason
            FROM stg_milestone_event a) e
      GROUP BY e.exam_key) s
