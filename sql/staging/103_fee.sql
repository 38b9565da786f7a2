-- name: fee
-- grain: charge code and period
-- key: charge_code, valid_from
-- purpose: The site's fee schedule; an entry holds until the next of its code.
-- materialize: table
-- column: charge_code VARCHAR - | charge code
-- column: wrvu DOUBLE wRVU | work RVU
-- column: valid_from DATE - | first day
-- column: valid_until DATE - | day after the last
SELECT f.charge_code, f.wrvu, f.valid_from,
       lead(f.valid_from, 1, DATE '9999-12-31') OVER (PARTITION BY f.charge_code ORDER BY f.valid_from) AS valid_until
FROM (SELECT s.charge_code, max(s.wrvu) AS wrvu, coalesce(s.valid_from, DATE '0001-01-01') AS valid_from
      FROM site_fees s
      GROUP BY s.charge_code, coalesce(s.valid_from, DATE '0001-01-01')) f
