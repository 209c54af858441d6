-- A grid of all bins, and a LEFT JOIN of those that have rows.
-- covers: fillmissing
-- query: stats count(*) as n by bin(10m) | fillmissing with 0 for n
WITH RECURSIVE grid(t) AS (SELECT ts('2026-11-23T09:00:00Z') UNION ALL SELECT t + 600000 FROM grid WHERE t < ts('2026-11-23T09:50:00Z')),
  bins AS (SELECT ts / 600000 * 600000 AS t, count(*) AS n FROM access_log GROUP BY 1)
SELECT ts_text(t) AS bin, coalesce(n, 0) AS n FROM grid LEFT JOIN bins USING (t) ORDER BY t;
