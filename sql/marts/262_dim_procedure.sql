-- name: dim_procedure
-- grain: harmonized procedure
-- key: procedure
-- purpose: The harmonized procedures.
-- materialize: table
-- column: procedure VARCHAR - | id
-- column: procedure_name VARCHAR - | name
-- column: modality VARCHAR - | DICOM modality
-- column: region VARCHAR - | body region
-- column: laterality VARCHAR - | N, L, R or B
-- column: contrast VARCHAR - | WO, W, WWO or N
-- column: service_line VARCHAR - | reading service
-- column: loinc VARCHAR - | LOINC code, where there is one
-- column: is_follow_up BOOLEAN - | planned serial imaging
SELECT p.procedure, p.name AS procedure_name, p.modality, p.region, p.laterality, p.contrast, p.service_line, p.loinc,
       p.is_follow_up
FROM procedure_reference p
