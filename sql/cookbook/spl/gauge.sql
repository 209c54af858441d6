-- The value and the limits of the dial's ranges are the columns of one row.
-- covers: gauge
-- query: stats count | gauge count 0 10 20 30
SELECT count(*) AS x, 0 AS y1, 10 AS y2, 20 AS y3, 30 AS y4 FROM access_log;
