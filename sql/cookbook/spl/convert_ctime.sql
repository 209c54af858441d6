-- Times to text and back: strftime writes any format, ts reads ISO-8601; unixepoch's seconds are the ts / 1000.
-- covers: convert ctime(); convert mktime(); convert
-- query: convert timeformat="%H:%M:%S" ctime(_time) AS clock | convert mktime(text) AS epoch | head 2
SELECT strftime('%H:%M:%S', ts / 1000, 'unixepoch') AS clock, ts('2026-11-23 09:00:00') / 1000 AS epoch FROM access_log ORDER BY ts LIMIT 2;
