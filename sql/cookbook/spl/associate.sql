-- How much less open the method is once the host is known: entropies in bits, written out by their definition.
-- covers: associate
-- query: associate supcnt=3 host method
WITH all_values AS (SELECT method, 1.0 * count(*) / sum(count(*)) OVER () AS p FROM access_log GROUP BY method),
     by_host AS (SELECT host, method, sum(count(*)) OVER (PARTITION BY host) AS support,
                        1.0 * count(*) / sum(count(*)) OVER (PARTITION BY host) AS p FROM access_log GROUP BY host, method),
     unconditional AS (SELECT -sum(p * log2(p)) AS entropy FROM all_values)
SELECT host AS reference_value, support, round(entropy, 4) AS unconditional_entropy, round(-sum(p * log2(p)), 4) AS conditional_entropy,
       round(entropy + sum(p * log2(p)), 4) AS entropy_improvement
  FROM by_host, unconditional
 GROUP BY host
 ORDER BY host;
