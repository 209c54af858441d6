-- Regex matchers are anchored at both ends, as GLOB is; an alternation is IN.
-- covers: =~; !~
-- query: cpu{host=~"web.*", region!~"us|ap"}
SELECT host, region, value FROM cpu_now WHERE host GLOB 'web*' AND region NOT IN ('us', 'ap') ORDER BY host;
