-- An event type is a named condition.
-- covers: typer
-- query: typer | stats count BY eventtype
SELECT CASE WHEN status >= 500 THEN 'outage' WHEN status >= 400 THEN 'refused' WHEN path = '/' THEN 'visit' ELSE 'other' END AS eventtype,
       count(*) AS count
  FROM access_log
 GROUP BY eventtype
 ORDER BY eventtype;
