-- Aggregates and GROUP BY.
-- covers: stats; count(); sum(); avg(); min(); max()
-- query: stats count(*), count(user), sum(bytes), avg(duration), min(status), max(status) by host
SELECT host, count(*) AS events, count(user) AS with_user, sum(bytes) AS bytes,
       avg(duration_ms) AS avg, min(status) AS min, max(status) AS max
  FROM access_log
 GROUP BY host
 ORDER BY host;
