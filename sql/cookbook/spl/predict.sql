-- Holt-Winters with an additive season, here of none; lower and upper hold 95 of 100 outcomes.
-- covers: predict
-- query: search host=web3 | timechart span=1m avg(usage) AS usage | predict usage AS value future_timespan=3
SELECT ts_text(f.ts) AS time, round(f.value, 3) AS value, round(f.lower, 3) AS lower95, round(f.upper, 3) AS upper95
  FROM (SELECT json_group_array(json_array(ts, usage)) AS samples FROM cpu WHERE host = 'web3') AS past, forecast(past.samples, 3, 1) AS f;
