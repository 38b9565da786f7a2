-- name: facility_known
-- purpose: Every facility of an exam is in dim_facility.
SELECT e.facility FROM (SELECT DISTINCT x.facility FROM fct_exam x) e LEFT JOIN dim_facility f ON f.facility = e.facility WHERE f.facility IS NULL
