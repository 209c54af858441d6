-- CAST; text that is no number becomes 0.
-- covers: toNumber(); toInt(); toLong(); toDouble()
-- query: fields toLong("42"), toDouble("4.5")
SELECT CAST('42' AS INTEGER) AS long, CAST('4.5' AS REAL) AS double;
