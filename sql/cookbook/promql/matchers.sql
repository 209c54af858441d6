-- Label matchers are conditions on columns; a label that is not there is NULL or an empty string.
-- covers: =; !=
-- query: cpu{region="eu", host!="web1"}
SELECT host, region, value FROM cpu_now WHERE region = 'eu' AND host <> 'web1';
