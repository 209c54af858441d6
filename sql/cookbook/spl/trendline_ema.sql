-- ema takes the newest value's share: 2 / (n + 1) for a period of n.
-- covers: trendline ema
-- query: sort _time | trendline ema3(usage) AS ema | table _time, usage, ema | head 4
SELECT ts_text(ts) AS time, usage, ema(usage, 2.0 / (3 + 1)) OVER (ORDER BY ts) AS ema FROM cpu WHERE host = 'web2' ORDER BY ts LIMIT 4;
