-- id: forecast_error
-- title: Error of the forecast
-- question: How far off was the forecast of a day, and would last week's numbers have done?
-- unit: share
-- better: lower
-- kind: rate
-- statistic: forecast
-- choices: forecast=error_forecast/n_exams, seasonal_naive=error_naive/n_exams, last_4_weeks=error_mean/n_exams, within_80=n_within_80/n_days, within_95=n_within_95/n_days
-- numerator: absolute error of a day's exams of one modality of a facility; or days inside their interval
-- denominator: exams that were really done; or days
-- clock_start: none
-- clock_stop: exam_ended
-- includes: every third day of the last 12 weeks as origin, days of the last 8 weeks as aim; n counts days forecast
-- excludes: modalities of a facility that had under 28 days before an origin
-- nulls: no forecast, no row
-- min_n: 28
-- table: fct_forecast_error
-- anchor: to_day
-- groups: facility, modality, horizon_week
-- filters: facility, modality
-- target: below the same of seasonal_naive, else the forecast is not worth having
-- reference: weighted absolute percentage error at rolling origins; the table has MAE, MASE (Hyndman and Koehler, 2006) and the widths, for network, facility and hour band as well
-- version: 2
-- since: 0.1.0
-- history: 1 | 2026-11-25 | a353fd685c9d | first definition
-- history: 2 | 2026-11-29 | a353fd685c9d | intervals of the back-test are computed, no longer taken from 100 draws, which left out a little too much
SELECT CAST(f.to_day AS TIMESTAMP) AS period_local, f.abs_error AS error_forecast, r.error_naive, r.error_mean, f.n_exams,
       f.n_within_80, f.n_within_95, f.n_days, f.n_days AS n, f.facility, f.modality, f.horizon_week
FROM fct_forecast_error f
LEFT JOIN (SELECT e.facility, e.modality, e.horizon_week,
                  sum(e.abs_error) FILTER (WHERE e.model = 'seasonal_naive') AS error_naive,
                  sum(e.abs_error) FILTER (WHERE e.model = 'last_4_weeks') AS error_mean
           FROM fct_forecast_error e
           WHERE e.level = 'facility_modality'
           GROUP BY e.facility, e.modality, e.horizon_week) r
    ON r.facility IS NOT DISTINCT FROM f.facility AND r.modality IS NOT DISTINCT FROM f.modality
    AND r.horizon_week = f.horizon_week
WHERE f.level = 'facility_modality' AND f.model = 'forecast'
