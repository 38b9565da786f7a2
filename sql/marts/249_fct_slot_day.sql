-- name: fct_slot_day
-- grain: device, local day
-- key: device, day_local
-- purpose: Booked slots of a device by day, as counts that a night adds to; cancelled and mistaken ones are left out.
-- materialize: table
-- scope: tally
-- least: first_told_local
-- again: fct_appointment slot_local day_local
-- column: device VARCHAR - | device
-- column: day_local DATE local | day of the slots
-- column: n_slots BIGINT slots | booked slots
-- column: first_told_local TIMESTAMP local | when the first of them was told
SELECT a.device, CAST(a.slot_local AS DATE) AS day_local, CAST(sum(a.sign) AS BIGINT) AS n_slots,
       min(a.slot_told_local) FILTER (WHERE a.sign > 0) AS first_told_local,
       min(a.slot_told_local) FILTER (WHERE a.sign < 0) AS lost_first_told_local
FROM fct_appointment_change a
WHERE a.device IS NOT NULL AND a.slot_local IS NOT NULL AND a.slot_told_local IS NOT NULL AND a.status <> 'deleted'
    AND a.outcome IS DISTINCT FROM 'cancelled'
GROUP BY a.device, CAST(a.slot_local AS DATE)
