-- Another database is attached, and its tables are there; one on S3 or on a web server by the VFSs of this extension.
-- covers: dbxquery
-- query: | dbxquery connection=crm query="SELECT user, city FROM customers"
ATTACH ':memory:' AS crm;
CREATE TABLE crm.customers AS SELECT 'ada' AS user, 'Berlin' AS city;
SELECT user, city FROM crm.customers;
DETACH crm;
