-- id: room_occupancy
-- title: Room occupancy
-- question: How much of its staffed time does a device's room hold a patient?
-- unit: share
-- better: neither
-- kind: rate
-- statistic: value
-- numerator: staffed minutes with a patient in the room
-- denominator: staffed minutes
-- clock_start: room_entered
-- clock_stop: room_left
-- includes: union of stays in the room, from arrival to departure; a patient who arrives elsewhere within the hour has left
-- excludes: devices whose room nobody tells of: not reported, which is not zero
-- nulls: arrivals without departure and departures without arrival are no stay; stays over 24 hours are clock faults
-- min_n: 8
-- table: fct_room_hour
-- anchor: hour_local
-- groups: facility, modality, device, shift, weekday, hour
-- filters: since, until, facility, modality, device
-- target: none customary: beside utilization it shows the time for positioning, contrast and waiting in the room
-- reference: HL7 v2 3.3.9 and 3.3.10 (patient tracking), FHIR Encounter.location; n counts device hours
-- version: 1
-- since: 0.1.0
-- history: 1 | 2026-11-28 | 823aa2940c1b | first definition
SELECT h.hour_local AS period_local, h.room_staffed_min AS numerator, h.staffed_min AS denominator,
       h.facility, h.modality, h.device
FROM fct_room_hour h
JOIN (SELECT d.device, max(d.day_local) AS last_day
      FROM fct_room_day d
      WHERE d.n_told > d.n_entered
      GROUP BY d.device) l ON l.device = h.device AND CAST(h.hour_local AS DATE) <= l.last_day
WHERE h.staffed_min > 0 AND h.is_reported
