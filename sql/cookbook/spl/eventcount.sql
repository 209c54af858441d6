-- The names of the files say how many rows they hold: no row is read.
-- covers: eventcount
-- query: | eventcount index=orders
SELECT sum(rows) AS count FROM ts_files('orders');
