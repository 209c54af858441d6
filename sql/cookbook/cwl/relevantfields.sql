-- How much more frequent a value is among the rows that meet the condition than among the others, and both medians; the service's
-- own score is not published.
-- covers: relevantfields
-- query: relevantfields path, bytes where duration > 50
SELECT path, round(1.0 * sum(slow) / sum(sum(slow)) OVER () - 1.0 * sum(NOT slow) / sum(sum(NOT slow)) OVER (), 3) AS shift
  FROM (SELECT path, duration_ms > 50 AS slow FROM access_log)
 GROUP BY path
 ORDER BY shift DESC, path LIMIT 2;
SELECT median(bytes) FILTER (WHERE duration_ms > 50) AS conditional_median,
       median(bytes) FILTER (WHERE NOT duration_ms > 50) AS baseline_median
  FROM access_log;
