-- A column of the select list; later ones that build on it take a subquery, or a CTE.
-- covers: eval
-- query: sort -_time | head 4 | eval seconds=duration/1000, slow=if(seconds>0.5, "yes", "no") | table path, seconds, slow
SELECT path, seconds, iif(seconds > 0.5, 'yes', 'no') AS slow
  FROM (SELECT path, duration_ms / 1000 AS seconds FROM access_log ORDER BY ts DESC LIMIT 4);
