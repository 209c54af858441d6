-- printf with the same letters.
-- covers: printf()
-- query: eval text=printf("%5.1f, %-6s, %+d, %05d, %x, %e", 3.14159, "ab", 7, 42, 255, 12345.678)
SELECT printf('%5.1f, %-6s, %+d, %05d, %x, %e', 3.14159, 'ab', 7, 42, 255, 12345.678) AS text;
