-- Logs of one shop: the web servers' access log, and lines of the application as JSON and as text; 2026-11-23, 09:00 to 10:00.
CREATE VIRTUAL TABLE temp.access_log USING timeseries(
  ts TIMESTAMP, host TEXT TAG, client TEXT, user TEXT, method TEXT, path TEXT, status INTEGER, bytes INTEGER, duration_ms REAL,
  location='file:///tmp/cookbook'
);
INSERT INTO access_log VALUES
  ('2026-11-23T09:00:01Z', 'web1', '10.0.0.7',     'ada',   'GET',  '/',            200, 5120,  12.5),
  ('2026-11-23T09:00:04Z', 'web1', '10.0.0.7',     'ada',   'GET',  '/cart',        200, 2048,  30),
  ('2026-11-23T09:02:10Z', 'web2', '192.168.1.20', 'bob',   'GET',  '/',            200, 5120,  14),
  ('2026-11-23T09:04:59Z', 'web1', '10.0.0.7',     'ada',   'POST', '/cart',        201, 310,   55),
  ('2026-11-23T09:05:00Z', 'web2', '192.168.1.20', 'bob',   'GET',  '/item/42',     404, 512,   8),
  ('2026-11-23T09:07:30Z', 'web2', '203.0.113.9',  NULL,    'GET',  '/admin',       403, 256,   3),
  ('2026-11-23T09:07:31Z', 'web2', '203.0.113.9',  NULL,    'GET',  '/admin',       403, 256,   2.5),
  ('2026-11-23T09:12:00Z', 'web1', '10.0.0.8',     'carol', 'GET',  '/item/7',      200, 8192,  21),
  ('2026-11-23T09:31:00Z', 'web1', '10.0.0.8',     'carol', 'POST', '/checkout',    500, 128,   950),
  ('2026-11-23T09:31:20Z', 'web1', '10.0.0.8',     'carol', 'POST', '/checkout',    500, 128,   1200),
  ('2026-11-23T09:33:00Z', 'web2', '10.0.0.8',     'carol', 'POST', '/checkout',    200, 640,   180),
  ('2026-11-23T09:59:59Z', 'web2', '2001:db8::5',  'dave',  'GET',  '/',            200, 5120,  11);

CREATE VIRTUAL TABLE temp.app_log USING timeseries(
  ts TIMESTAMP, stream TEXT TAG, message TEXT,
  location='file:///tmp/cookbook'
);
INSERT INTO app_log VALUES
  ('2026-11-23T09:00:00Z', 'shop',  '{"level":"info","event":"start","version":"1.4.2"}'),
  ('2026-11-23T09:31:00Z', 'shop',  '{"level":"error","event":"payment","order":{"id":17,"total":99.5},"tags":["card","retry"]}'),
  ('2026-11-23T09:31:20Z', 'shop',  '{"level":"error","event":"payment","order":{"id":17,"total":99.5},"tags":["card"]}'),
  ('2026-11-23T09:33:00Z', 'shop',  '{"level":"info","event":"payment","order":{"id":17,"total":99.5},"tags":[]}'),
  ('2026-11-23T09:10:00Z', 'batch', 'INFO job 1 started by alice@example.com'),
  ('2026-11-23T09:10:40Z', 'batch', 'INFO job 1 took 40 s, 1200 rows'),
  ('2026-11-23T09:40:00Z', 'batch', 'INFO job 2 started by bob@example.com'),
  ('2026-11-23T09:41:15Z', 'batch', 'WARN job 2 took 75 s, 900 rows'),
  ('2026-11-23T09:50:00Z', 'batch', 'ERROR job 3 failed: disk full');
