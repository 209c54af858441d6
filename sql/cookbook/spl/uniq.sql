-- A row equal to the one before it is left out; DISTINCT does it wherever equal rows stand.
-- covers: uniq
-- query: sort _time | table client, path | uniq
SELECT client, path
  FROM (SELECT ts, client, path, lag(client || ' ' || path) OVER (ORDER BY ts) AS before FROM access_log)
 WHERE before IS NOT client || ' ' || path AND ts < ts('2026-11-23T09:20:00Z')
 ORDER BY ts;
