-- GROUP BY names the labels that stay.
-- covers: without
-- query: sum without (code, method) (http_requests_total)
SELECT job, instance, sum(value) AS value FROM requests_now GROUP BY job, instance ORDER BY instance;
