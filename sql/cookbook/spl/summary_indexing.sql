-- Parts that can be added are kept (counts, sums, least and greatest), and the report is made of them: an average is sum by count.
-- covers: sistats; sichart; sitop; sirare
-- query: sistats avg(duration) BY host | collect index=summary
CREATE TEMP TABLE summary AS
SELECT time_bucket('30m', ts) AS ts, host, count(*) AS count, sum(duration_ms) AS sum, max(duration_ms) AS max
  FROM access_log GROUP BY 1, 2;
SELECT host, sum(sum) / sum(count) AS avg, max(max) AS max FROM summary GROUP BY host ORDER BY host;
DROP TABLE summary;
