-- What a search found is inserted into another table. (The recipe rolls back so that it can be run again.)
-- covers: collect; mcollect; meventcollect; tscollect
-- query: stats sum(value) AS usage BY host | collect index=summary
BEGIN;
INSERT INTO cpu SELECT ts('2026-11-23T09:59:00Z'), host, 'all', sum(bytes) FROM access_log GROUP BY host;
SELECT host, usage FROM cpu WHERE region = 'all' ORDER BY host;
ROLLBACK;
