-- A new column out of another; where the pattern does not match, the label stays as it is, here none.
-- covers: label_replace()
-- query: label_replace(cpu, "number", "$1", "host", "web(.*)")
SELECT host, region, CASE WHEN host GLOB 'web*' THEN substr(host, 4) ELSE '' END AS number, value FROM cpu_now ORDER BY host;
