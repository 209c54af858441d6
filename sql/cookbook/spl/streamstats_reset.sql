-- The number of changes so far numbers the runs; within each the count begins anew.
-- covers: streamstats reset_on_change=
-- query: sort _time | streamstats count AS n reset_on_change=true BY status | table _time, status, n
SELECT ts_text(ts) AS time, status, row_number() OVER (PARTITION BY run ORDER BY ts) AS n
  FROM (SELECT ts, status, sum(changed) OVER (ORDER BY ts) AS run
          FROM (SELECT ts, status, status IS NOT lag(status) OVER (ORDER BY ts) AS changed FROM access_log))
 ORDER BY ts LIMIT 8;
