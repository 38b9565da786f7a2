-- name: dim_facility_alias
-- grain: name of a facility
-- key: facility, alias
-- purpose: Names that senders, rooms and devices give a facility, beside its id and its own name.
-- materialize: table
-- column: facility VARCHAR - | facility
-- column: alias VARCHAR - | as the site writes it; compared without case
SELECT DISTINCT a.facility, a.alias
FROM site_alias a
