-- The table is read once, bin by bin; gapfill has all bins of the range, and a LEFT JOIN keeps those without rows.
-- covers: fillmissing
-- query: stats count(*) as n by bin(10m) | fillmissing with 0 for n
WITH bins AS (
  SELECT time_bucket('10m', ts) AS ts, count(*) AS n FROM access_log
   WHERE ts >= ts('2026-11-23T09:00:00Z') AND ts < ts('2026-11-23T10:00:00Z') GROUP BY 1)
SELECT ts_text(ts) AS bin, coalesce(n, 0) AS n
  FROM gapfill('10m', ts('2026-11-23T09:00:00Z'), ts('2026-11-23T10:00:00Z')) LEFT JOIN bins USING (ts)
 ORDER BY ts;
