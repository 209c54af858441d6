-- A LEFT JOIN adds the data labels; series without an info series stay as they are.
-- covers: info()
-- query: info(cpu)    with region_info as info series, identified by region
SELECT a.host, a.region, b.owner, a.value FROM cpu_now AS a LEFT JOIN region_info_now AS b USING (region) ORDER BY a.host;
