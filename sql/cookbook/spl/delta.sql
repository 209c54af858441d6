-- The value less that of the row before.
-- covers: delta
-- query: search index=cpu host=web2 | sort _time | delta usage AS change p=1 | head 4
SELECT ts_text(ts) AS time, usage, usage - lag(usage) OVER (ORDER BY ts) AS change FROM cpu WHERE host = 'web2' ORDER BY ts LIMIT 4;
