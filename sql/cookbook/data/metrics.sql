-- Metrics of two web servers, scraped each minute from 09:50:05 to 09:59:05 on 2026-11-23; queries are asked at 10:00:00.
CREATE VIRTUAL TABLE temp.http_requests_total USING timeseries(
  ts TIMESTAMP, job TEXT TAG, instance TEXT TAG, method TEXT TAG, code TEXT TAG, value REAL,
  location='file:///tmp/cookbook'
);
-- A counter; web2 restarts after 09:54:05.
INSERT INTO http_requests_total
SELECT ts('2026-11-23T09:50:05Z') + key * 60000, job, instance, method, code, sample.value
  FROM (SELECT 'api' AS job, 'web1' AS instance, 'GET' AS method, '200' AS code, '[100,130,160,190,220,250,280,310,340,370]' AS samples
        UNION ALL SELECT 'api', 'web1', 'GET',  '500', '[2,2,3,3,3,4,4,6,6,8]'
        UNION ALL SELECT 'api', 'web1', 'POST', '200', '[40,46,52,58,64,70,76,82,88,94]'
        UNION ALL SELECT 'api', 'web2', 'GET',  '200', '[900,960,1020,1080,1140,30,90,150,210,270]'
        UNION ALL SELECT 'api', 'web2', 'GET',  '500', '[5,5,5,5,5,0,0,1,1,1]'),
       json_each(samples) AS sample;

CREATE VIRTUAL TABLE temp.cpu USING timeseries(
  ts TIMESTAMP, host TEXT TAG, region TEXT TAG, usage REAL,
  location='file:///tmp/cookbook'
);
-- A gauge, in per cent; db1 is scraped no more after 09:53:05.
INSERT INTO cpu
SELECT ts('2026-11-23T09:50:05Z') + key * 60000, host, region, sample.value
  FROM (SELECT 'web1' AS host, 'eu' AS region, '[20,25,30,35,40,45,50,55,60,65]' AS samples
        UNION ALL SELECT 'web2', 'eu', '[50,40,50,60,50,50,40,50,60,50]'
        UNION ALL SELECT 'web3', 'us', '[80.5,81,80.5,80,80.5,81,81.5,80.5,80,80.5]'
        UNION ALL SELECT 'db1',  'us', '[10,10,12,11]'),
       json_each(samples) AS sample;

CREATE VIRTUAL TABLE temp.cpu_limit USING timeseries(
  ts TIMESTAMP, host TEXT TAG, region TEXT TAG, "limit" REAL,
  location='file:///tmp/cookbook'
);
INSERT INTO cpu_limit VALUES
  ('2026-11-23T09:59:05Z', 'web1', 'eu', 60), ('2026-11-23T09:59:05Z', 'web2', 'eu', 60), ('2026-11-23T09:59:05Z', 'web4', 'us', 90);

CREATE VIRTUAL TABLE temp.region_info USING timeseries(
  ts TIMESTAMP, region TEXT TAG, owner TEXT TAG, value REAL,
  location='file:///tmp/cookbook'
);
INSERT INTO region_info VALUES ('2026-11-23T09:59:05Z', 'eu', 'ada', 1), ('2026-11-23T09:59:05Z', 'us', 'grace', 1);

CREATE VIRTUAL TABLE temp.request_duration_bucket USING timeseries(
  ts TIMESTAMP, instance TEXT TAG, le REAL, value REAL,
  location='file:///tmp/cookbook'
);
-- A classic histogram: cumulative counts by upper bound in seconds; 9e999 is +Inf.
INSERT INTO request_duration_bucket
SELECT ts('2026-11-23T09:50:05Z') + key * 60000, instance, le, sample.value
  FROM (SELECT 'web1' AS instance, 0.1 AS le, '[10,20,30,40,50,60,70,80,90,100]' AS samples
        UNION ALL SELECT 'web1', 0.5,   '[15,30,45,60,75,90,105,120,135,150]'
        UNION ALL SELECT 'web1', 1.0,   '[18,36,54,72,90,108,126,144,162,180]'
        UNION ALL SELECT 'web1', 9e999, '[20,40,60,80,100,120,140,160,180,200]'
        UNION ALL SELECT 'web2', 0.1,   '[5,10,15,20,25,30,35,40,45,50]'
        UNION ALL SELECT 'web2', 0.5,   '[5,10,15,20,25,30,35,40,45,50]'
        UNION ALL SELECT 'web2', 1.0,   '[10,20,30,40,50,60,70,80,90,100]'
        UNION ALL SELECT 'web2', 9e999, '[10,20,30,40,50,60,70,80,90,100]'),
       json_each(samples) AS sample;

-- What an instant selector sees at 10:00:00: of each series the newest sample of the last five minutes (promql/instant_vector.sql).
CREATE TEMP VIEW cpu_now AS
SELECT host, region, usage AS value, max(ts) AS ts FROM cpu
 WHERE ts > ts('2026-11-23T09:55:00Z') AND ts <= ts('2026-11-23T10:00:00Z') GROUP BY host, region;
CREATE TEMP VIEW cpu_limit_now AS
SELECT host, region, "limit" AS value, max(ts) AS ts FROM cpu_limit
 WHERE ts > ts('2026-11-23T09:55:00Z') AND ts <= ts('2026-11-23T10:00:00Z') GROUP BY host, region;
CREATE TEMP VIEW region_info_now AS
SELECT region, owner, value, max(ts) AS ts FROM region_info
 WHERE ts > ts('2026-11-23T09:55:00Z') AND ts <= ts('2026-11-23T10:00:00Z') GROUP BY region, owner;
CREATE TEMP VIEW requests_now AS
SELECT job, instance, method, code, value, max(ts) AS ts FROM http_requests_total
 WHERE ts > ts('2026-11-23T09:55:00Z') AND ts <= ts('2026-11-23T10:00:00Z') GROUP BY job, instance, method, code;
CREATE TEMP VIEW request_duration_now AS
SELECT instance, le, value, max(ts) AS ts FROM request_duration_bucket
 WHERE ts > ts('2026-11-23T09:55:00Z') AND ts <= ts('2026-11-23T10:00:00Z') GROUP BY instance, le;
