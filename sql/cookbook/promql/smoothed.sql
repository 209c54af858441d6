-- The value at each bound of the range is interpolated between the samples around it; beyond the first or last sample it is theirs.
-- covers: smoothed
-- query: delta(cpu[3m] smoothed) @ 1795427640
WITH bounds(side, bound) AS (VALUES ('from', ts('2026-11-23T09:54:00Z', '-3 minutes')), ('to', ts('2026-11-23T09:54:00Z'))),
     around AS (
       SELECT host, region, side, bound,
              max(ts) FILTER (WHERE ts <= bound) AS t0, last(usage, ts) FILTER (WHERE ts <= bound) AS v0,
              min(ts) FILTER (WHERE ts > bound) AS t1, first(usage, ts) FILTER (WHERE ts > bound) AS v1
         FROM cpu, bounds
        WHERE ts > ts('2026-11-23T09:54:00Z', '-3 minutes', '-5 minutes') AND ts <= ts('2026-11-23T09:54:00Z', '+5 minutes')
        GROUP BY host, region, side),
     at AS (SELECT host, region, side, coalesce(v0 + (v1 - v0) * (bound - t0) / (t1 - t0), v0, v1) AS value FROM around)
SELECT host, region, b.value - a.value AS value
  FROM at AS a JOIN at AS b USING (host, region)
 WHERE a.side = 'from' AND b.side = 'to'
 ORDER BY host;
