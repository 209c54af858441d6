-- XOR is that the two differ.
-- covers: eval AND; eval OR; eval NOT; eval XOR
-- query: where (host="web1" XOR method="GET") AND NOT status=200 OR path="/cart"
SELECT host, method, path FROM access_log
 WHERE ((host = 'web1') <> (method = 'GET')) AND NOT status = 200 OR path = '/cart'
 ORDER BY ts;
