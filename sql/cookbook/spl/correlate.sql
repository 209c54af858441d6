-- How often two fields are present together, of the events in which either is.
-- covers: correlate
-- query: eval failed=if(status>=400, 1, null()), post=if(method="POST", 1, null()) | fields user, failed, post | correlate
WITH present AS (SELECT user IS NOT NULL AS user, status >= 400 AS failed, method = 'POST' AS post FROM access_log)
SELECT round(1.0 * sum(user AND failed) / sum(user OR failed), 2) AS user_failed,
       round(1.0 * sum(user AND post) / sum(user OR post), 2) AS user_post,
       round(1.0 * sum(failed AND post) / sum(failed OR post), 2) AS failed_post
  FROM present;
