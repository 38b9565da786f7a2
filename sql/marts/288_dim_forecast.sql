-- name: dim_forecast
-- grain: facility, modality
-- key: facility, modality
-- purpose: Which modalities of a facility have a forecast, and why others have none.
-- materialize: table
-- column: facility VARCHAR - | facility
-- column: modality VARCHAR - | modality
-- column: first_day DATE local | day of its first exam
-- column: last_day DATE local | day of its last exam
-- column: n_days BIGINT - | days from the first exam to the last whole day of the data
-- column: n_exams BIGINT exams | exams in them
-- column: from_day DATE local | first day forecast; NULL without a forecast
-- column: to_day DATE local | last day forecast
-- column: reason VARCHAR - | why there is none: short history (under 42 days), facility silent (over 7), no exams of late (over 28)
SELECT u.facility, u.modality, u.first_day, u.last_day, u.n_days, u.n_exams, u.from_day, u.to_day, u.reason
FROM forecast_unit u
