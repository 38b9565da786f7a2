-- name: fct_room_stay
-- grain: stay of a patient in a room; an arrival or a departure that found no other end
-- key: stay_key
-- purpose: Time of patients in rooms as arrivals and departures tell it, with what became of each.
-- materialize: table
-- scope: mover
-- sorted_by: month of entered_at, facility, entered_at
-- column: stay_key VARCHAR - | keyed facility, room, patient and time
-- column: mover_key VARCHAR - | keyed patient, else visit
-- column: facility VARCHAR - | facility
-- column: room VARCHAR - | room as sent
-- column: device VARCHAR - | device that the site lists in the room; NULL where it lists none
-- column: entered_at TIMESTAMP UTC | arrival in the room
-- column: left_at TIMESTAMP UTC | departure from it
-- column: entered_local TIMESTAMP local | arrival, wall clock of the facility
-- column: left_local TIMESTAMP local | departure, wall clock of the facility
-- column: told_local TIMESTAMP local | arrival, else departure, wall clock of the facility
-- column: stay_min DOUBLE min | from arrival to departure
-- column: end_source VARCHAR - | departure, next_arrival (the patient arrived elsewhere within the hour) or none
-- column: fate VARCHAR - | used, unmapped, no_departure, no_arrival, backwards or too_long (over a day, a clock fault)
SELECT s.stay_key, s.mover_key, s.facility, s.room, s.device, s.entered_at, s.left_at,
       local_at(s.entered_at, s.zone) AS entered_local, local_at(s.left_at, s.zone) AS left_local, local_at(coalesce(s.entered_at, s.left_at), s.zone) AS told_local,
       minutes_between(s.entered_at, s.left_at) AS stay_min, s.end_source,
       CASE WHEN s.device IS NULL THEN 'unmapped'
            WHEN s.entered_at IS NULL THEN 'no_arrival'
            WHEN s.left_at IS NULL THEN 'no_departure'
            WHEN s.left_at < s.entered_at THEN 'backwards'
            WHEN s.left_at > s.entered_at + INTERVAL 24 HOUR THEN 'too_long'
            ELSE 'used' END AS fate
FROM (SELECT keyed('stay', concat_ws('^', t.facility, t.room, t.who, coalesce(t.entered_at, t.left_at),
                                     t.entered_at IS NULL)) AS stay_key,
             keyed('mover', t.who) AS mover_key,
             t.facility, t.room, coalesce(r.device, p.device) AS device, t.entered_at, t.left_at, t.end_source,
             coalesce(z.zone, d.default_zone) AS zone
      FROM stg_room_stay t
      CROSS JOIN site_zone d
      LEFT JOIN site_facility z ON z.facility = t.facility
      LEFT JOIN device_by_room r ON r.facility = t.facility AND r.room = lower(t.room)
      LEFT JOIN device_by_room p ON p.facility = t.facility AND p.room = lower(split_part(t.room, '^', 2))) s
