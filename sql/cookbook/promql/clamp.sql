-- max() and min() of several arguments are the larger and the smaller one.
-- covers: clamp(); clamp_min(); clamp_max(); max_of(); min_of()
-- query: clamp(cpu, 55, 70), clamp_min(cpu, 55), clamp_max(cpu, 70), max_of(2, 3), min_of(2, 3)
SELECT host, min(max(value, 55), 70) AS clamp, max(value, 55) AS clamp_min, min(value, 70) AS clamp_max, max(2, 3) AS max_of,
       min(2, 3) AS min_of
  FROM cpu_now
 ORDER BY host;
