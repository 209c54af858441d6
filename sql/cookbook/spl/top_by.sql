-- The greatest of each group by their rank in it.
-- covers: top BY
-- query: top limit=1 path BY host
SELECT host, path, count, percent
  FROM (SELECT host, path, count(*) AS count, round(100.0 * count(*) / sum(count(*)) OVER (PARTITION BY host), 6) AS percent,
               row_number() OVER (PARTITION BY host ORDER BY count(*) DESC, path) AS rank
          FROM access_log GROUP BY host, path)
 WHERE rank = 1
 ORDER BY host;
