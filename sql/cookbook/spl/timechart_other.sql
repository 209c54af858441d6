-- The names to be shown are ranked first; all others are one column.
-- covers: timechart limit=, useother=
-- query: timechart span=30m limit=2 useother=true count BY path
WITH ranked AS (SELECT path, row_number() OVER (ORDER BY count(*) DESC, path) AS rank FROM access_log GROUP BY path)
SELECT ts_text(time_bucket('30m', ts)) AS time, count(*) FILTER (WHERE rank = 1) AS "/", count(*) FILTER (WHERE rank = 2) AS "/checkout",
       count(*) FILTER (WHERE rank > 2) AS OTHER
  FROM access_log JOIN ranked USING (path)
 GROUP BY 1
 ORDER BY 1;
