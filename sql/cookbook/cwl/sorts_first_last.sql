-- The smallest and the largest text.
-- covers: sortsFirst(); sortsLast()
-- query: stats sortsFirst(path), sortsLast(path)
SELECT min(path) AS sorts_first, max(path) AS sorts_last FROM access_log;
