-- name: dim_facility
-- grain: facility
-- key: facility
-- purpose: Facilities of the site, and unmapped where something could not be placed.
-- materialize: table
-- column: facility VARCHAR - | id
-- column: facility_name VARCHAR - | name
-- column: zone VARCHAR - | IANA time zone
-- column: kind VARCHAR - | teaching, community, ...
SELECT f.facility, f.facility_name, f.zone, f.kind
FROM site_facility f
UNION ALL
SELECT 'unmapped', 'Not mapped to a facility', z.default_zone, NULL
FROM site_zone z
WHERE EXISTS (SELECT 1 FROM fct_exam e WHERE e.facility = 'unmapped')
