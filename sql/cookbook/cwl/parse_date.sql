-- ts reads ISO-8601; of another order of parts substr makes one.
-- covers: parseDate()
-- query: fields parseDate("23.11.2026 09:31", "dd.MM.yyyy HH:mm") as millis
SELECT ts(substr(text, 7, 4) || '-' || substr(text, 4, 2) || '-' || substr(text, 1, 2) || substr(text, 11)) AS millis
  FROM (SELECT '23.11.2026 09:31' AS text);
