-- The join's columns are all but those named.
-- covers: ignoring
-- query: http_requests_total{code="500"} / ignoring (code) http_requests_total{code="200"}
SELECT job, instance, method, a.value / b.value AS value
  FROM requests_now AS a JOIN requests_now AS b USING (job, instance, method)
 WHERE a.code = '500' AND b.code = '200'
 ORDER BY instance;
