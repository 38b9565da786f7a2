-- name: fct_room_day
-- grain: device whose room is told of, local day on which a stay begins or ends
-- key: device, day_local
-- purpose: Days on which a device's room was told of, as counts that a night adds to.
-- materialize: table
-- scope: tally
-- least: first_at
-- again: fct_room_stay entered_at day_local
-- column: device VARCHAR - | device
-- column: day_local DATE local | day
-- column: n_told BIGINT - | begins and ends of stays that are used
-- column: n_entered BIGINT - | of these, begins
-- column: first_at TIMESTAMP UTC | first begin of a stay; NULL where none began
SELECT t.device, t.day_local, CAST(sum(t.sign) AS BIGINT) AS n_told,
       CAST(sum(CASE WHEN t.entered_at IS NULL THEN 0 ELSE t.sign END) AS BIGINT) AS n_entered,
       min(t.entered_at) FILTER (WHERE t.sign > 0) AS first_at, min(t.entered_at) FILTER (WHERE t.sign < 0) AS lost_first_at
FROM (SELECT s.device, CAST(s.entered_local AS DATE) AS day_local, s.entered_at, s.sign
      FROM fct_room_stay_change s
      WHERE s.fate = 'used'
      UNION ALL
      SELECT e.device, CAST(e.left_local AS DATE), NULL, e.sign
      FROM fct_room_stay_change e
      WHERE e.fate = 'used') t
GROUP BY t.device, t.day_local
