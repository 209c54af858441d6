-- CASE names the range.
-- covers: rangemap
-- query: rangemap field=duration low=0-20 elevated=21-100 default=severe | stats count BY range
SELECT CASE WHEN duration_ms <= 20 THEN 'low' WHEN duration_ms <= 100 THEN 'elevated' ELSE 'severe' END AS range, count(*) AS count
  FROM access_log
 GROUP BY range
 ORDER BY range;
