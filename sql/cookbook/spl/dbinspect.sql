-- ts_files tells of each file of the table what it holds.
-- covers: dbinspect
-- query: | dbinspect index=app | table eventCount, startEpoch, endEpoch
SELECT rows, ts_text(start) AS start, ts_text("end") AS "end" FROM ts_files('app_log');
