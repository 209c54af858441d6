-- What the shop sold in the days to 2026-11-23, tables to look things up in, and lines of its devices.
CREATE VIRTUAL TABLE temp.orders USING timeseries(
  ts TIMESTAMP, region TEXT TAG, user TEXT, item TEXT, quantity INTEGER, price REAL,
  location='file:///tmp/cookbook'
);
INSERT INTO orders VALUES
  ('2026-11-16T10:15:00Z', 'eu', 'ada',   'lamp',  1, 40),
  ('2026-11-16T15:00:00Z', 'us', 'bob',   'desk',  1, 250),
  ('2026-11-17T09:30:00Z', 'eu', 'carol', 'lamp',  2, 40),
  ('2026-11-18T11:00:00Z', 'eu', 'ada',   'chair', 4, 60),
  ('2026-11-20T16:45:00Z', 'us', 'dave',  'chair', 2, 60),
  ('2026-11-22T10:05:00Z', 'eu', 'carol', 'lamp',  1, 38),
  ('2026-11-23T09:33:00Z', 'eu', 'carol', 'desk',  1, 220),
  ('2026-11-23T09:40:00Z', 'us', 'bob',   'lamp',  3, 38),
  ('2026-11-23T10:20:00Z', 'us', 'bob',   'chair', 1, 65),
  ('2026-11-23T11:00:00Z', 'eu', 'ada',   'lamp',  1, 38);

CREATE TEMP TABLE host_info(host TEXT PRIMARY KEY, owner TEXT, site TEXT, lat REAL, lon REAL);
INSERT INTO host_info VALUES ('web1', 'ada', 'Berlin', 52.5, 13.4), ('web3', 'grace', 'Oslo', 59.9, 10.7);

CREATE TEMP TABLE networks(network TEXT PRIMARY KEY, city TEXT, country TEXT, lat REAL, lon REAL);
INSERT INTO networks VALUES ('10.0.0.0/8', 'Berlin', 'Germany', 52.5, 13.4), ('192.168.0.0/16', 'Oslo', 'Norway', 59.9, 10.7),
  ('203.0.113.0/24', 'Sydney', 'Australia', -33.9, 151.2);

CREATE VIRTUAL TABLE temp.device_log USING timeseries(
  ts TIMESTAMP, host TEXT TAG, message TEXT,
  location='file:///tmp/cookbook'
);
INSERT INTO device_log VALUES
  ('2026-11-23T09:01:00Z', 'gate', 'user=ada action=login ip=10.0.0.7 took=12'),
  ('2026-11-23T09:03:00Z', 'gate', 'user=bob action=login ip=192.168.1.20 took=30'),
  ('2026-11-23T09:06:00Z', 'gate', 'user=bob action=logout took=2'),
  ('2026-11-23T09:08:00Z', 'till', '<order id="17"><user>carol</user><total>99.5</total><note>desk &amp; lamp</note></order>'),
  ('2026-11-23T09:09:00Z', 'till', 'PID USER MEM' || char(10) || '1 root 12' || char(10) || '42 www 250');
