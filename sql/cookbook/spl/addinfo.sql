-- The search's own range is two constants; a CTE keeps them in one place.
-- covers: addinfo
-- query: earliest=-30m latest=now | addinfo | table path, info_min_time, info_max_time | head 2
WITH info(info_min_time, info_max_time) AS (SELECT ts('2026-11-23T09:30:00Z'), ts('2026-11-23T10:00:00Z'))
SELECT path, ts_text(info_min_time) AS info_min_time, ts_text(info_max_time) AS info_max_time
  FROM info, access_log
 WHERE ts >= info_min_time AND ts < info_max_time
 ORDER BY ts LIMIT 2;
