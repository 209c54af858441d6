-- The functions of the same names; where PromQL says NaN or -Inf (ln of 0), SQLite says NULL.
-- covers: exp(); ln(); log2(); log10(); sqrt()
-- query: exp(cpu / 100), ln(cpu), log2(cpu), log10(cpu), sqrt(cpu)
SELECT host, exp(value / 100) AS exp, ln(value) AS ln, log2(value) AS log2, log10(value) AS log10, sqrt(value) AS sqrt
  FROM cpu_now
 ORDER BY host;
