-- SQL needs no text of a condition, IN takes the subquery; where the text is wanted, group_concat makes it.
-- covers: format
-- query: search status=500 | dedup user | fields user, host | format
SELECT '( ' || group_concat('( host="' || host || '" AND user="' || user || '" )', ' OR ') || ' )' AS search
  FROM (SELECT DISTINCT user, host FROM access_log WHERE user GLOB '[bc]*' ORDER BY user, host);
