-- name: dim_radiologist
-- grain: reader
-- key: radiologist
-- purpose: Readers under a stable label; names only where the site publishes them.
-- materialize: table
-- column: radiologist VARCHAR - | keyed reader
-- column: label VARCHAR - | what people see
-- column: role VARCHAR - | radiologist (signs) or trainee (preliminary reports only)
SELECT r.radiologist,
       coalesce(published_name(n.name),
                CASE WHEN r.role = 'trainee' THEN 'Trainee ' ELSE 'Radiologist ' END
                || upper(substr(r.radiologist, 1, CASE WHEN r.n_alike = 1 THEN 4 ELSE 12 END))) AS label,
       r.role
FROM (SELECT d.radiologist, d.role, count(*) OVER (PARTITION BY substr(d.radiologist, 1, 4)) AS n_alike
      FROM (SELECT f.radiologist, CASE WHEN bool_or(f.role = 'final') THEN 'radiologist' ELSE 'trainee' END AS role
            FROM fct_read f GROUP BY f.radiologist) d) r
LEFT JOIN (SELECT a.actor, min(a.name) AS name FROM actor_name a GROUP BY a.actor) n ON n.actor = r.radiologist
