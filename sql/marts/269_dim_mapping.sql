-- name: dim_mapping
-- grain: decision of the site on a local procedure name
-- key: facility, name, valid_from
-- purpose: What the site decided on names of procedures, and from which day on; trends are marked there.
-- materialize: table
-- column: facility VARCHAR - | facility whose name it is
-- column: name VARCHAR - | local code, else local text
-- column: procedure VARCHAR - | harmonized procedure
-- column: modality VARCHAR - | its DICOM modality
-- column: valid_from DATE - | first day of exams for which it holds, NULL always
SELECT d.facility, coalesce(d.code, d.text) AS name, min(d.procedure) AS procedure, min(r.modality) AS modality,
       d.valid_from
FROM site_procedures d
JOIN procedure_reference r ON r.procedure = d.procedure
GROUP BY d.facility, coalesce(d.code, d.text), d.valid_from
