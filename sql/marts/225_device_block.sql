-- name: device_block
-- grain: staffed block of a device and day
-- key: device, day_local, opens_local
-- purpose: Staffed blocks by day: weekly hours on days in service, without closed days.
-- materialize: work
-- column: device VARCHAR - | device
-- column: day_local DATE local | day
-- column: opens_local TIMESTAMP local | begin of the block
-- column: closes_local TIMESTAMP local | end of the block
SELECT d.device, d.facility, d.modality, d.zone, CAST(d.day_local AS DATE) AS day_local,
       add_seconds(CAST(d.day_local AS TIMESTAMP), s.opens_minute * 60) AS opens_local,
       add_seconds(CAST(d.day_local AS TIMESTAMP), s.closes_minute * 60) AS closes_local
FROM (SELECT v.device, v.facility, v.modality, v.zone,
             unnest(generate_series(CAST(v.from_day AS TIMESTAMP), CAST(v.to_day AS TIMESTAMP), INTERVAL 1 DAY))
                 AS day_local
      FROM device_service v) d
JOIN staffing s ON s.device = d.device AND s.weekday = isodow(d.day_local)
LEFT JOIN (SELECT DISTINCT k.facility, k.date FROM site_calendar k WHERE k.kind = 'closed') x
    ON x.facility = d.facility AND x.date = CAST(d.day_local AS DATE)
WHERE x.date IS NULL
