-- name: room_fits_hour
-- purpose: A room is occupied at most 60 minutes an hour, and no longer in staffed time than in all or than is staffed.
SELECT h.device, h.hour_at FROM fct_room_hour_new h
WHERE h.room_min < 0 OR h.room_min > 60.0001 OR h.room_staffed_min > h.room_min + 0.0001
    OR h.room_staffed_min > h.staffed_min + 0.0001
