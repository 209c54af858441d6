-- max() and min() of several arguments are the larger and the smaller one.
-- covers: clamp(); clamp_min(); clamp_max()
-- query: clamp(cpu, 55, 70), clamp_min(cpu, 55), clamp_max(cpu, 70)
SELECT host, region, min(max(value, 55), 70) AS clamp, max(value, 55) AS clamp_min, min(value, 70) AS clamp_max
  FROM cpu_now
 ORDER BY host;
