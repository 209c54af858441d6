-- Paths into JSON begin with $; {} is json_each. SQLite has no XML.
-- covers: spath
-- query: spath path=order.total output=total | spath path=tags{0} output=tag | table total, tag
SELECT message ->> '$.order.total' AS total, message ->> '$.tags[0]' AS tag FROM app_log WHERE message GLOB '*order*' ORDER BY ts;
