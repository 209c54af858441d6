-- Weeks of time_bucket begin on Monday (@w1); an origin makes them begin on another day, here on Sunday (@w0).
-- covers: snap to @w0, @w1, ... @w7
-- query: | makeresults | eval monday=relative_time(_time, "@w1"), sunday=relative_time(_time, "@w0")
SELECT ts_text(time_bucket('1 week', ts('2026-11-25T10:37:12Z'))) AS monday,
       ts_text(time_bucket('1 week', ts('2026-11-25T10:37:12Z'), ts('2026-11-01'))) AS sunday;
