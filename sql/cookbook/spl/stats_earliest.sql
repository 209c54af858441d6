-- first and last go by the time, whatever the order of rows; SPL's first() is the first seen, which is the newest event.
-- covers: stats earliest(); stats latest(); stats first(); stats last()
-- query: stats earliest(path) AS earliest, latest(path) AS latest, first(path) AS first, last(path) AS last BY host
SELECT host, first(path, ts) AS earliest, last(path, ts) AS latest, last(path, ts) AS first, first(path, ts) AS last
  FROM access_log
 GROUP BY host
 ORDER BY host;
