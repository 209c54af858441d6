-- A recursive CTE counts up from the start to the end.
-- covers: gentimes
-- query: | gentimes start=11/22/2026 end=11/24/2026 increment=12h | table starttime, endtime
WITH RECURSIVE times(start) AS (
  SELECT ts('2026-11-22') UNION ALL SELECT start + duration('12h') FROM times WHERE start + duration('12h') < ts('2026-11-24'))
SELECT ts_text(start) AS starttime, ts_text(start + duration('12h') - 1000) AS endtime FROM times;
