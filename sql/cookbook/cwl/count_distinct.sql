-- Exactly, or by a sketch of 16 KiB; Logs Insights estimates where there are many.
-- covers: count_distinct()
-- query: stats count_distinct(client) by host
SELECT host, count(DISTINCT client) AS exact, approx_count_distinct(client) AS estimate FROM access_log GROUP BY host ORDER BY host;
