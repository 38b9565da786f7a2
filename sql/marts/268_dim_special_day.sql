-- name: dim_special_day
-- grain: facility, day
-- key: facility, day
-- purpose: Days on which a facility is closed, or open and as quiet as on a Sunday.
-- materialize: table
-- column: facility VARCHAR - | facility
-- column: day DATE local | day
-- column: kind VARCHAR - | closed or holiday
SELECT c.facility, c.date AS day, min(c.kind) AS kind
FROM site_calendar c
GROUP BY c.facility, c.date
