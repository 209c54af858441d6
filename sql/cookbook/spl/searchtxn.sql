-- Transactions in which an event of the wanted kind occurs: HAVING over the whole group.
-- covers: searchtxn
-- query: | searchtxn visits status=500
WITH marked AS (
  SELECT client, ts, status, coalesce(ts - lag(ts) OVER (PARTITION BY client ORDER BY ts) > duration('5m'), 1) AS begins FROM access_log),
     numbered AS (SELECT client, ts, status, sum(begins) OVER (PARTITION BY client ORDER BY ts) AS number FROM marked)
SELECT client, ts_text(min(ts)) AS time, json_group_array(status) AS statuses
  FROM numbered
 GROUP BY client, number
HAVING max(status = 500);
