-- The great circle's formula over a sphere of 6371 km, degrees made radians.
-- covers: haversine()
-- query: fields haversine(52.5, 13.4, 59.9, 10.7) as km
SELECT round(2 * 6371 * asin(sqrt(pow(sin(radians(lat2 - lat1) / 2), 2)
                                  + cos(radians(lat1)) * cos(radians(lat2)) * pow(sin(radians(lon2 - lon1) / 2), 2))), 1) AS km
  FROM (SELECT 52.5 AS lat1, 13.4 AS lon1, 59.9 AS lat2, 10.7 AS lon2);
