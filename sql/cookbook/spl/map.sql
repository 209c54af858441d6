-- A search for each row of another is a correlated subquery, or a join.
-- covers: map
-- query: search status=500 | dedup user | map search="search index=orders user=$user$ | stats sum(quantity)"
SELECT user, (SELECT sum(quantity) FROM orders WHERE orders.user = failed.user) AS bought
  FROM (SELECT DISTINCT user FROM access_log WHERE status = 500) AS failed;
