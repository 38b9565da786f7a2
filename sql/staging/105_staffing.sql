-- name: staffing
-- grain: device, weekday, block
-- key: device, weekday, opens
-- purpose: Weekly staffed hours with minutes of the day; a row may name several weekdays, as in 12345.
-- materialize: table
-- column: device VARCHAR - | device
-- column: weekday INTEGER - | ISO, 1 Monday to 7 Sunday
-- column: opens VARCHAR local | HH:MM
-- column: closes VARCHAR local | HH:MM, 24:00 allowed
-- column: opens_minute INTEGER min | of the day
-- column: closes_minute INTEGER min | of the day
SELECT s.device, w.weekday, s.opens, s.closes,
       CAST(split_part(s.opens, ':', 1) AS INTEGER) * 60 + CAST(split_part(s.opens, ':', 2) AS INTEGER) AS opens_minute,
       CAST(split_part(s.closes, ':', 1) AS INTEGER) * 60 + CAST(split_part(s.closes, ':', 2) AS INTEGER)
           AS closes_minute
FROM site_staffing s
JOIN iso_weekday w ON s.weekday LIKE concat('%', w.weekday, '%')
