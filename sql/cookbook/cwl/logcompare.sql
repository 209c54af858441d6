-- Two counts in one pass, each with its own window.
-- covers: logcompare
-- query: stats count(*) by host | logcompare timeshift 30m
SELECT host, count(*) FILTER (WHERE ts >= ts('2026-11-23T09:30:00Z')) AS now,
       count(*) FILTER (WHERE ts < ts('2026-11-23T09:30:00Z')) AS before
  FROM access_log
 WHERE ts >= ts('2026-11-23T09:00:00Z') AND ts < ts('2026-11-23T10:00:00Z')
 GROUP BY host
 ORDER BY host;
