-- The least-squares line through the range's samples, with x in seconds from the evaluation time: its slope, and its value at x = 600.
-- covers: deriv(); predict_linear()
-- query: deriv(cpu[5m]), predict_linear(cpu[5m], 600)
SELECT host, slope AS deriv, mean_y + slope * (600 - mean_x) AS predict_linear
  FROM (SELECT host, avg(x) AS mean_x, avg(y) AS mean_y,
               (avg(x * y) - avg(x) * avg(y)) / (avg(x * x) - avg(x) * avg(x)) AS slope
          FROM (SELECT host, region, (ts - ts('2026-11-23T10:00:00Z')) / 1000.0 AS x, usage AS y
                  FROM cpu
                 WHERE ts > ts('2026-11-23T10:00:00Z', '-5 minutes') AND ts <= ts('2026-11-23T10:00:00Z'))
         GROUP BY host, region
        HAVING count(*) > 1)
 ORDER BY host;
