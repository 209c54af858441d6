-- The join's columns are those named; the result has only these labels.
-- covers: on
-- query: cpu - on (host) cpu_limit
SELECT host, a.value - b.value AS value FROM cpu_now AS a JOIN cpu_limit_now AS b USING (host) ORDER BY host;
