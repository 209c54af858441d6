-- Of the events with the first value, how many have the second: pairs of values, counted by a self-join of (event, field, value).
-- covers: arules
-- query: arules sup=3 conf=0.7 host method user
WITH facts AS (SELECT ts, 'host=' || host AS fact FROM access_log UNION ALL SELECT ts, 'method=' || method FROM access_log
               UNION ALL SELECT ts, 'user=' || user FROM access_log WHERE user IS NOT NULL),
     counts AS (SELECT fact, count(*) AS events FROM facts GROUP BY fact)
SELECT a.fact AS "given", b.fact AS implied, count(*) AS support, round(1.0 * count(*) / c.events, 2) AS confidence
  FROM facts AS a JOIN facts AS b ON a.ts = b.ts AND a.fact <> b.fact JOIN counts AS c ON c.fact = a.fact
 GROUP BY a.fact, b.fact
HAVING support >= 3 AND confidence >= 0.7
 ORDER BY confidence DESC, "given", implied;
