-- ip_in_subnet is NULL for what is no address; 0.0.0.0/0 holds each address of version 4, ::/0 each of version 6.
-- covers: isValidIp(); isValidIpV4(); isValidIpV6()
-- query: fields value, isValidIp(value), isValidIpV4(value), isValidIpV6(value)
SELECT value, ip_in_subnet(value, '::/0') IS NOT NULL AS ip, ip_in_subnet(value, '0.0.0.0/0') IS 1 AS v4,
       ip_in_subnet(value, '::/0') IS 1 AS v6
  FROM json_each('["10.0.0.7", "2001:db8::5", "10.0.0.256", "host"]');
