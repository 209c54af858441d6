-- time_bucket rounds a ts down; rounding up is the bucket of the ts plus the width less one millisecond.
-- covers: bin(); datefloor(); dateceil(); countOverTime(); sumOverTime()
-- query: stats count(*), sum(bytes) by bin(30m), dateceil(@timestamp, 30m)
SELECT ts_text(time_bucket('30m', ts)) AS bin, ts_text(time_bucket('30m', ts + duration('30m') - 1)) AS ceil, count(*) AS count,
       sum(bytes) AS bytes
  FROM access_log
 GROUP BY bin, ceil
 ORDER BY bin, ceil;
