-- name: dq_identity
-- grain: identifier kind, flag
-- key: identifier, flag
-- purpose: Identifiers that were not allowed to link, and why.
-- materialize: table
-- column: identifier VARCHAR - | accession, filler_id, placer_id, ...
-- column: flag VARCHAR - | reused (several patients), hub (too many studies), ambiguous or tangled (several accessions), bridge
-- column: n BIGINT identifiers | identifiers
SELECT k.identifier, f.flag, count(DISTINCT f.node) AS n
FROM identity_flag f
JOIN node_kind k ON k.rank = f.rank
GROUP BY k.identifier, f.flag
