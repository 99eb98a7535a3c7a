WITH listed AS (
  SELECT _FILE_NAME AS document, RTRIM(TRIM(text), ',') AS item
  FROM `${table}`
  WHERE STARTS_WITH(TRIM(text), '{"line":')
)
SELECT
  document,
  CAST(JSON_VALUE(item, '$.line') AS INT64) AS line,
  CAST(JSON_VALUE(item, '$.record') AS INT64) AS record,
  JSON_VALUE(item, '$.outcome') AS outcome,
  JSON_VALUE(item, '$.order_id') AS order_id,
  CAST(JSON_VALUE(item, '$.micros') AS INT64) AS micros,
  JSON_VALUE(item, '$.currency') AS currency,
  'error' AS severity,
  JSON_VALUE(problem, '$.code') AS code,
  JSON_VALUE(problem, '$.field') AS field
FROM listed, UNNEST(JSON_QUERY_ARRAY(item, '$.errors')) AS problem
UNION ALL
SELECT
  document,
  CAST(JSON_VALUE(item, '$.line') AS INT64) AS line,
  CAST(JSON_VALUE(item, '$.record') AS INT64) AS record,
  JSON_VALUE(item, '$.outcome') AS outcome,
  JSON_VALUE(item, '$.order_id') AS order_id,
  CAST(JSON_VALUE(item, '$.micros') AS INT64) AS micros,
  JSON_VALUE(item, '$.currency') AS currency,
  'warning' AS severity,
  JSON_VALUE(problem, '$.code') AS code,
  JSON_VALUE(problem, '$.field') AS field
FROM listed, UNNEST(JSON_QUERY_ARRAY(item, '$.warnings')) AS problem
