-- startswith begins a transaction at each event that meets it; HAVING asks for the end.
-- covers: transaction startswith=, endswith=
-- query: transaction user startswith=eval(path="/") endswith=eval(method="POST") | table user, duration, eventcount
SELECT user, (max(ts) - min(ts)) / 1000.0 AS duration, count(*) AS eventcount
  FROM (SELECT user, ts, method, sum(path = '/') OVER (PARTITION BY user ORDER BY ts) AS number FROM access_log WHERE user IS NOT NULL)
 WHERE number > 0
 GROUP BY user, number
HAVING last(method, ts) = 'POST';
