-- name: fct_forecast
-- grain: facility, modality, hour band of one of the next 28 days
-- key: facility, modality, band_local
-- purpose: Exams expected from the first day that is not whole in the data, and 200 joint draws of what may come.
-- materialize: table
-- sorted_by: band_local, facility, modality
-- column: facility VARCHAR - | facility
-- column: modality VARCHAR - | modality
-- column: hour_band VARCHAR h | 00-06, 06-12, 12-18 or 18-24, local
-- column: band_local TIMESTAMP local | begin of the hours
-- column: expected DOUBLE exams | expected number of exams that end in them
-- column: n_before BIGINT exams | exams that ended in the same hours 28 days earlier
-- column: drawn INTEGER[] exams | draws; add them place by place over rows, then take quantiles
SELECT p.facility, p.modality, p.hour_band, p.band_local, p.expected, p.n_before, p.drawn
FROM forecast_path p
