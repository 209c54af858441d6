-- A rollup answers from the statistics in the files, without reading rows.
-- covers: tstats
-- query: | tstats count avg(duration) WHERE index=access BY host span=1h
CREATE VIRTUAL TABLE temp.access_hourly USING timeseries_rollup(access_log, '1 hour');
SELECT ts_text(ts) AS time, host, rows, duration_ms_avg FROM access_hourly ORDER BY ts, host;
DROP TABLE access_hourly;
