-- Who looked at the same paths: pairs of users by a self-join over the path.
-- covers: cofilter
-- query: cofilter path user
SELECT a.user AS item1, b.user AS item2, count(DISTINCT a.path) AS pair_count
  FROM access_log AS a JOIN access_log AS b ON a.path = b.path AND a.user < b.user
 GROUP BY a.user, b.user
 ORDER BY pair_count DESC, item1, item2;
