-- regexp_replace with 'g'.
-- covers: replace()
-- query: eval page=replace(path, "\d+", "N") | stats count BY page
SELECT regexp_replace(path, '\d+', 'N', 'g') AS page, count(*) AS count FROM access_log GROUP BY page ORDER BY page;
