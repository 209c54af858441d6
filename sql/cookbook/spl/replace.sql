-- CASE for whole values, with GLOB where the value has wildcards.
-- covers: replace
-- query: replace "/item/*" WITH "item", "/" WITH "home" IN path | stats count BY path
SELECT CASE WHEN path GLOB '/item/*' THEN 'item' WHEN path = '/' THEN 'home' ELSE path END AS page, count(*) AS count
  FROM access_log
 GROUP BY page
 ORDER BY page;
