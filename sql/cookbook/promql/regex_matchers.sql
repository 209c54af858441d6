-- Regex matchers are anchored at both ends, so REGEXP needs ^ and $; GLOB and IN often say the same.
-- covers: =~; !~
-- query: cpu{host=~"web[12]", region!~"us|ap"}
SELECT host, region, value FROM cpu_now WHERE host REGEXP '^web[12]$' AND region NOT REGEXP '^(us|ap)$' ORDER BY host;
