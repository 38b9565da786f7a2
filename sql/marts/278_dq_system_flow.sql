-- name: dq_system_flow
-- grain: facility, sender, receiver, standard, kind of message, day
-- key: facility, sender, receiver, standard, kind, day
-- purpose: The system map: which system sends what to whom, and how much a day, counted from the messages themselves.
-- materialize: table
-- scope: tally
-- column: facility VARCHAR - | facility that the message names, unmapped where no alias is known
-- column: sender VARCHAR - | APP@FACILITY of MSH-3/4, AE title or station, base of the FHIR server
-- column: receiver VARCHAR - | APP@FACILITY of MSH-5/6, receiving AE title; NULL where the message does not say
-- column: standard VARCHAR - | hl7, dicom or fhir
-- column: kind VARCHAR - | MSH-9 type and trigger, sort of DICOM object with its modality, type of FHIR resource
-- column: day DATE UTC | day of the message, NULL where it is not dated
-- column: n_messages BIGINT messages | messages, each counted once
-- column: n_defective BIGINT messages | of these, with a field that could not be used
SELECT f.facility, f.source AS sender, f.receiver, f.standard, f.kind, f.day,
       CAST(sum(f.n_messages) AS BIGINT) AS n_messages, CAST(sum(f.n_defective) AS BIGINT) AS n_defective
FROM message_flow f
GROUP BY f.facility, f.source, f.receiver, f.standard, f.kind, f.day
