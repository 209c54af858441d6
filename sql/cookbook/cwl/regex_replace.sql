-- regexp_replace with 'g' for all matches.
-- covers: regexReplace()
-- query: stats count(*) by regexReplace(path, "[0-9]+", "N")
SELECT regexp_replace(path, '[0-9]+', 'N', 'g') AS page, count(*) AS count FROM access_log GROUP BY page ORDER BY page;
