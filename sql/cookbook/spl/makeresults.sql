-- Rows from nothing: generate_series, or VALUES for few.
-- covers: makeresults
-- query: | makeresults count=3 | streamstats count AS n
SELECT value AS n FROM generate_series(1, 3);
