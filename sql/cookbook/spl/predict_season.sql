-- With a season, the number of samples that repeat: two whole seasons are needed.
-- covers: predict algorithm=LLP, period=
-- query: search host=web2 | timechart span=1m avg(usage) AS usage | predict usage AS value algorithm=LLP period=5 future_timespan=5
SELECT ts_text(f.ts) AS time, round(f.value, 3) AS value
  FROM (SELECT json_group_array(json_array(ts, usage)) AS samples FROM cpu WHERE host = 'web2') AS past, forecast(past.samples, 5, 5) AS f;
