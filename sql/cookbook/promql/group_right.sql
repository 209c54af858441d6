-- As group_left with the sides exchanged.
-- covers: group_right
-- query: region_info * on (region) group_right (owner) cpu
SELECT b.host, b.region, a.owner, a.value * b.value AS value
  FROM region_info_now AS a JOIN cpu_now AS b USING (region)
 ORDER BY b.host;
