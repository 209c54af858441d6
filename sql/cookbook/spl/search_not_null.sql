-- NOT field=value also finds events without the field, field!=value does not: IS NOT and <>.
-- covers: search: NOT field=value
-- query: search NOT user="ada" NOT user="carol" | stats count BY host
SELECT host, count(*) AS count, count(*) FILTER (WHERE user <> 'ada' AND user <> 'carol') AS with_user FROM access_log
 WHERE user IS NOT 'ada' AND user IS NOT 'carol'
 GROUP BY host;
