-- gapfill has the starts of all buckets of a range.
-- covers: gentimes
-- query: | gentimes start=11/22/2026 end=11/24/2026 increment=12h | table starttime, endtime
SELECT ts_text(ts) AS starttime, ts_text(ts + duration('12h') - 1000) AS endtime FROM gapfill('12h', ts('2026-11-22'), ts('2026-11-24'));
