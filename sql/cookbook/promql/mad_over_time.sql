-- The median of the distances from the median; a median is the mean of the middle one or two.
-- covers: mad_over_time()
-- query: mad_over_time(cpu{host="web1"}[5m])
WITH samples AS (
       SELECT usage FROM cpu
        WHERE host = 'web1' AND ts > ts('2026-11-23T10:00:00Z', '-5 minutes') AND ts <= ts('2026-11-23T10:00:00Z')),
     middle AS (
       SELECT avg(usage) AS median
         FROM (SELECT usage, row_number() OVER (ORDER BY usage) AS place, count(*) OVER () AS n FROM samples)
        WHERE place IN ((n + 1) / 2, (n + 2) / 2))
SELECT avg(distance) AS value
  FROM (SELECT abs(usage - median) AS distance, row_number() OVER (ORDER BY abs(usage - median)) AS place, count(*) OVER () AS n
          FROM samples, middle)
 WHERE place IN ((n + 1) / 2, (n + 2) / 2);
