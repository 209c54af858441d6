-- count(DISTINCT ...).
-- covers: stats distinct_count(); stats dc()
-- query: stats dc(path) AS paths, distinct_count(user) AS users BY host
SELECT host, count(DISTINCT path) AS paths, count(DISTINCT user) AS users FROM access_log GROUP BY host ORDER BY host;
