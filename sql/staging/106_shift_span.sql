-- name: shift_span
-- grain: shift, weekday
-- key: shift, from_minute
-- purpose: Shifts as minutes of the week; one that ends before it starts runs into the next day.
-- materialize: table
-- column: shift VARCHAR - | shift
-- column: from_minute INTEGER min | begin, 0 is Monday 00:00
-- column: n_minutes INTEGER min | length
-- column: is_after_hours BOOLEAN - | not a regular shift
SELECT h.shift, h.is_after_hours, (h.weekday - 1) * 1440 + h.starts AS from_minute,
       CASE WHEN h.ends > h.starts THEN h.ends - h.starts ELSE h.ends - h.starts + 1440 END AS n_minutes
FROM (SELECT s.shift, s.is_after_hours, w.weekday,
             CAST(split_part(s.starts, ':', 1) AS INTEGER) * 60 + CAST(split_part(s.starts, ':', 2) AS INTEGER)
                 AS starts,
             CAST(split_part(s.ends, ':', 1) AS INTEGER) * 60 + CAST(split_part(s.ends, ':', 2) AS INTEGER) AS ends
      FROM site_shifts s
      JOIN iso_weekday w ON s.weekday LIKE concat('%', w.weekday, '%')) h
