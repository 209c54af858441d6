-- A new label out of another, "" where the pattern does not match; written over its own source, what does not match stays as it is.
-- covers: label_replace()
-- query: label_replace(cpu, "number", "$1", "host", "web(.*)"), label_replace(cpu, "host", "node-$1", "host", "web(.*)")
SELECT host, region, coalesce(regexp_extract(host, '^web(.*)$', 1), '') AS number, value FROM cpu_now ORDER BY host;
SELECT regexp_replace(host, '^web(.*)$', 'node-\1') AS host, region, value FROM cpu_now ORDER BY host;
