-- A ts is milliseconds: integer division cuts it to a multiple of the width; rounding up adds the width less one first.
-- covers: bin(); datefloor(); dateceil(); countOverTime(); sumOverTime()
-- query: stats count(*), sum(bytes) by bin(30m), dateceil(@timestamp, 30m)
SELECT ts_text(ts / 1800000 * 1800000) AS bin, ts_text((ts + 1799999) / 1800000 * 1800000) AS ceil, count(*) AS count, sum(bytes) AS bytes
  FROM access_log
 GROUP BY bin, ceil
 ORDER BY bin, ceil;
