-- ts reads ISO-8601; of another order of parts substr makes one.
-- covers: strptime()
-- query: eval t=strptime("23.11.2026 09:31:00", "%d.%m.%Y %H:%M:%S")
SELECT ts(substr(text, 7, 4) || '-' || substr(text, 4, 2) || '-' || substr(text, 1, 2) || substr(text, 11)) / 1000 AS t
  FROM (SELECT '23.11.2026 09:31:00' AS text);
