-- The same signs, == too.
-- covers: eval =; eval ==; eval !=; eval <; eval <=; eval >; eval >=
-- query: where status==404 OR (status!=200 AND bytes<200 AND duration>=1000 AND bytes<=128 AND duration>1)
SELECT path, status FROM access_log
 WHERE status == 404 OR (status != 200 AND bytes < 200 AND duration_ms >= 1000 AND bytes <= 128 AND duration_ms > 1)
 ORDER BY ts;
