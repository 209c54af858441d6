-- A command's name stands at the beginning and behind each bar.
-- covers: commands()
-- query: eval names=commands("search error | stats count | sort count")
SELECT regexp_extract_all('search error | stats count | sort count', '(?:^|\|)\s*(\w+)', 1) AS names;
