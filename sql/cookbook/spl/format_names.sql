-- Full names come from a list.
-- covers: %A; %B
-- query: eval day=strftime(_time, "%A"), month=strftime(_time, "%B")
WITH t(s) AS (SELECT ts('2026-11-23T09:05:07Z') / 1000)
SELECT json_extract('["Sunday","Monday","Tuesday","Wednesday","Thursday","Friday","Saturday"]',
                    '$[' || strftime('%w', s, 'unixepoch') || ']') AS A,
       json_extract('["January","February","March","April","May","June","July","August","September","October","November","December"]',
                    '$[' || (strftime('%m', s, 'unixepoch') - 1) || ']') AS B
  FROM t;
