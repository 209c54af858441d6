-- The clock in seconds and, by ts, in milliseconds; it is one for the whole statement.
-- covers: now(); time()
-- query: eval later=if(now() > 1750000000, "yes", "no")
SELECT iif(strftime('%s', 'now') > '1750000000' AND ts('now') > 1750000000000, 'yes', 'no') AS later;
