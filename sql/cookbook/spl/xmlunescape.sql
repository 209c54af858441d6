-- replace for each entity, the ampersand last.
-- covers: xmlunescape
-- query: xmlunescape note
SELECT replace(replace(replace(replace(note, '&lt;', '<'), '&gt;', '>'), '&quot;', '"'), '&amp;', '&') AS note
  FROM (SELECT 'desk &amp; lamp &lt;2&gt;' AS note);
