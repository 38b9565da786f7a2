-- name: dq_identity
-- grain: identifier kind, flag
-- key: identifier, flag
-- purpose: Identifiers that were not allowed to link, studies under several accessions, merges in a circle.
-- materialize: table
-- column: identifier VARCHAR - | accession, filler_id, placer_id, ...
-- column: flag VARCHAR - | reused (patients), hub (studies), ambiguous, tangled (accessions), bridge, merge_cycle
-- column: n BIGINT identifiers | identifiers
SELECT k.identifier, f.flag, count(DISTINCT f.node) AS n
FROM identity_flag f
JOIN node_kind k ON k.rank = f.rank
GROUP BY k.identifier, f.flag
UNION ALL
SELECT 'patient_id', 'merge_cycle', count(*)
FROM merge_cycle c
HAVING count(*) > 0
