-- A number does not remember with how many digits it was written, so they are said: %.2e has three.
-- covers: sigfig()
-- query: eval x=sigfig(1.00 * 1111)
SELECT CAST(printf('%.2e', 1.00 * 1111) AS REAL) AS x;
