-- name: stg_charge
-- grain: exam with charges
-- key: exam_key
-- purpose: Work RVU of an exam by the site's fee schedule; a credit takes its charge back.
-- materialize: table
-- column: exam_key VARCHAR - | exam
-- column: wrvu DOUBLE wRVU | sum over charges, NULL where no charge code is in the fee schedule
SELECT c.exam_key,
       CAST(sum(CAST(CASE WHEN c.transaction_type = 'CD' THEN -1 ELSE 1 END * coalesce(c.quantity, 1) * f.wrvu
                     AS DECIMAL(18, 4))) AS DOUBLE) AS wrvu
FROM (SELECT DISTINCT m.exam_key, x.source, x.message_id, x.message_at, x.row_number, x.at, x.charge_code, x.quantity,
             x.modifiers, x.transaction_type
      FROM raw_charge x
      JOIN exam_mention m ON m.mention = x.mention) c
JOIN fee f ON f.charge_code = c.charge_code AND CAST(coalesce(c.at, c.message_at) AS DATE) >= f.valid_from
    AND CAST(coalesce(c.at, c.message_at) AS DATE) < f.valid_until
GROUP BY c.exam_key
