-- A list of VALUES is a vector made up in the query.
-- covers: timeseries_gen()
-- query: cpu * on (region) timeseries_gen(`{{rangeSeries "region" "eu,ap" 1.0}}`)
WITH wanted(region, value) AS (VALUES ('eu', 1.0), ('ap', 1.0))
SELECT a.host, region, a.value * b.value AS value FROM cpu_now AS a JOIN wanted AS b USING (region) ORDER BY a.host;
