-- The raw measures, newest first.
-- covers: mpreview; msearch
-- query: | mpreview index=metrics filter="host=db1" target_per_timeseries=2
SELECT ts_text(ts) AS time, host, region, usage FROM cpu WHERE host = 'db1' ORDER BY ts DESC LIMIT 2;
