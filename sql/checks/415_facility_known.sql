-- name: facility_known
-- purpose: Every facility of an exam is in dim_facility.
SELECT e.exam_key FROM fct_exam e LEFT JOIN dim_facility f ON f.facility = e.facility WHERE f.facility IS NULL
