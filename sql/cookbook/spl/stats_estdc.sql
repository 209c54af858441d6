-- approx_count_distinct counts by HyperLogLog in 16 KiB; the standard error is that of its 16384 registers.
-- covers: stats estdc(); stats estdc_error()
-- query: stats estdc(client) AS clients, estdc_error(client) AS error BY host
SELECT host, approx_count_distinct(client) AS clients, round(1.04 / sqrt(16384), 6) AS error FROM access_log GROUP BY host ORDER BY host;
