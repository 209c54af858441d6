-- The table is read once, bucket by bucket; gapfill has all buckets of the range, and a LEFT JOIN keeps those without rows.
-- covers: timechart cont=
-- query: earliest=@h latest=+1h@h | timechart span=10m avg(duration) AS mean, count
WITH buckets AS (
  SELECT time_bucket('10m', ts) AS ts, avg(duration_ms) AS mean, count(*) AS count FROM access_log
   WHERE ts >= ts('2026-11-23T09:00:00Z') AND ts < ts('2026-11-23T10:00:00Z') GROUP BY 1)
SELECT ts_text(ts) AS time, mean, coalesce(count, 0) AS count
  FROM gapfill('10m', ts('2026-11-23T09:00:00Z'), ts('2026-11-23T10:00:00Z')) LEFT JOIN buckets USING (ts)
 ORDER BY ts;
