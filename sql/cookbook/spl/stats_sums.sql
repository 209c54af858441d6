-- Aggregates of SQL.
-- covers: stats avg(); stats mean(); stats count(); stats sum(); stats sumsq(); stats range(); stats max(); stats min()
-- query: stats avg(duration) AS avg, count(user) AS count, sum(bytes) AS sum, sumsq(bytes) AS sumsq
--   , range(bytes) AS range, max(bytes), min(bytes)
SELECT avg(duration_ms) AS avg, count(user) AS count, sum(bytes) AS sum, sum(bytes * bytes) AS sumsq, max(bytes) - min(bytes) AS range,
       max(bytes) AS max, min(bytes) AS min
  FROM access_log;
