-- Places are put on a grid by rounding; a finer zoom is a smaller cell.
-- covers: geostats
-- query: geostats latfield=lat longfield=lon binspanlat=10 binspanlong=10 count
SELECT floor(lat / 10) * 10 + 5 AS lat, floor(lon / 10) * 10 + 5 AS lon, count(*) AS count
  FROM networks
 GROUP BY 1, 2
 ORDER BY 1, 2;
