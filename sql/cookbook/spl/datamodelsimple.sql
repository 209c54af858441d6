-- The schema lists the views.
-- covers: datamodelsimple
-- query: | datamodelsimple type=models | search modelName="cpu*"
SELECT name AS modelName FROM temp.sqlite_schema WHERE type = 'view' AND name GLOB 'cpu*' ORDER BY name;
