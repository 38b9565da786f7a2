-- name: dim_shift
-- grain: minute of the week
-- key: minute_of_week
-- purpose: The shift that works at each minute of the week.
-- materialize: table
-- column: minute_of_week INTEGER min | 0 is Monday 00:00
-- column: shift VARCHAR - | shift, NULL where none works
-- column: weekday INTEGER - | ISO, 1 Monday to 7 Sunday
-- column: hour INTEGER h | 0 to 23
-- column: is_after_hours BOOLEAN - | no regular shift works
SELECT c.minute_of_week, c.shift, CAST(1 + floor(c.minute_of_week / 1440) AS INTEGER) AS weekday,
       CAST(floor(mod(c.minute_of_week, 1440) / 60) AS INTEGER) AS hour, c.is_after_hours
FROM clock_shift c
