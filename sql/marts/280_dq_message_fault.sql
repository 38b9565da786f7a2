-- name: dq_message_fault
-- grain: facility, sender, standard, kind of message, day, field, reason
-- key: facility, sender, standard, kind, day, field, reason
-- purpose: Fields that could not be used, by where they stand and why, never with their value.
-- materialize: table
-- scope: tally
-- column: facility VARCHAR - | facility that the message names, unmapped where no alias is known
-- column: sender VARCHAR - | as in dq_system_flow
-- column: standard VARCHAR - | hl7, dicom or fhir
-- column: kind VARCHAR - | as in dq_system_flow
-- column: day DATE UTC | day of the message, NULL where it is not dated
-- column: field VARCHAR - | segment and field, tag, or path of the element
-- column: reason VARCHAR - | why it could not be used
-- column: n_defects BIGINT defects | defects; one message may have several
SELECT f.facility, f.source AS sender, f.standard, f.kind, f.day, f.field, f.reason,
       CAST(sum(f.n_defects) AS BIGINT) AS n_defects
FROM message_fault f
GROUP BY f.facility, f.source, f.standard, f.kind, f.day, f.field, f.reason
