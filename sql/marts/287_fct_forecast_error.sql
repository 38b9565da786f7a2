-- name: fct_forecast_error
-- grain: level, its group, model, week of the horizon
-- key: level, facility, modality, hour_band, model, horizon_week
-- purpose: Back-test of the forecast and of two plain rules at rolling origins; sums over days, to be divided by n_days.
-- materialize: table
-- sorted_by: level, facility, modality, hour_band, model, horizon_week
-- column: level VARCHAR - | what is added up before comparing: network, facility, facility_modality or hour_band
-- column: facility VARCHAR - | facility; NULL for the network
-- column: modality VARCHAR - | modality; NULL for network and facility
-- column: hour_band VARCHAR h | hour band, only at that level
-- column: model VARCHAR - | forecast, seasonal_naive (last week again) or last_4_weeks (mean of the last four such weekdays)
-- column: horizon_week INTEGER weeks | 1 to 4 weeks ahead
-- column: from_day DATE local | first day that was forecast and compared
-- column: to_day DATE local | last one
-- column: n_days BIGINT - | forecasts of one day and group compared
-- column: n_exams BIGINT exams | exams that really ended on these
-- column: abs_error DOUBLE exams | sum of absolute errors: / n_days is MAE, / n_exams the weighted percentage error
-- column: scale DOUBLE exams | sum of the seasonal-naive error within the history: abs_error / scale is MASE
-- column: n_within_80 BIGINT - | days inside the 80 % interval; NULL for the plain rules, as below
-- column: n_within_95 BIGINT - | days inside the 95 % interval
-- column: width_80 DOUBLE exams | sum of the widths of the 80 % intervals
-- column: width_95 DOUBLE exams | sum of the widths of the 95 % intervals
SELECT s.level, s.facility, s.modality, s.hour_band, s.model, s.horizon_week, s.from_day, s.to_day, s.n_days,
       s.n_exams, s.abs_error, s.scale, s.n_within_80, s.n_within_95, s.width_80, s.width_95
FROM forecast_score s
