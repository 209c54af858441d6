-- A join with many rows on the left for one on the right keeps the left labels, and takes those named from the right.
-- covers: group_left
-- query: cpu * on (region) group_left (owner) region_info
SELECT a.host, a.region, b.owner, a.value * b.value AS value
  FROM cpu_now AS a JOIN region_info_now AS b USING (region)
 ORDER BY a.host;
