-- Transactions in which an event of the wanted kind occurs: HAVING over the whole group.
-- covers: searchtxn
-- query: | searchtxn visits status=500
SELECT client, ts_text(min(ts)) AS time, json_group_array(status) AS statuses
  FROM (SELECT client, ts, status, session_id(ts, '5m') OVER (PARTITION BY client ORDER BY ts) AS session FROM access_log)
 GROUP BY client, session
HAVING max(status = 500);
