-- CAST; a JSON text is its own array or object, and json() checks it.
-- covers: tobool(); todouble(); toint(); toarray(); toobject(); tomv()
-- query: eval i=toint("42.9"), d=todouble("42"), b=tobool("true"), a=toarray("[1, 2]"), o=toobject("{\"k\": 1}"), mv=tomv("x")
SELECT CAST('42.9' AS INTEGER) AS i, CAST('42' AS REAL) AS d, lower('true') IN ('true', 't', '1') AS b, json('[1, 2]') AS a,
       json('{"k": 1}') AS o, json_array('x') AS mv;
