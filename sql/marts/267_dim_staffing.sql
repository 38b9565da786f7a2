-- name: dim_staffing
-- grain: device, weekday, block
-- key: device, weekday, opens
-- purpose: Weekly staffed hours of the devices.
-- materialize: table
-- column: device VARCHAR - | device
-- column: weekday INTEGER - | ISO, 1 Monday to 7 Sunday
-- column: opens VARCHAR local | HH:MM
-- column: closes VARCHAR local | HH:MM, 24:00 allowed
SELECT s.device, s.weekday, s.opens, s.closes
FROM staffing s
