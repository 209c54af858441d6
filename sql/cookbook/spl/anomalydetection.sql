-- An event is as likely as its values are frequent; the sum of logarithms is the product of the frequencies.
-- covers: anomalydetection
-- query: anomalydetection method=histogram action=summary host method status | sort log_event_prob | head 3
SELECT ts_text(ts) AS time, host, method, status,
       round(ln(1.0 * count(*) OVER (PARTITION BY host) / count(*) OVER ())
             + ln(1.0 * count(*) OVER (PARTITION BY method) / count(*) OVER ())
             + ln(1.0 * count(*) OVER (PARTITION BY status) / count(*) OVER ()), 3) AS log_event_prob
  FROM access_log
 ORDER BY log_event_prob, ts LIMIT 3;
