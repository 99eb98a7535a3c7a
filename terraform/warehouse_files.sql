SELECT
  REGEXP_REPLACE(name, r'\.[0-9]+\.results\.json$', '') AS file,
  name AS document,
  status,
  counts,
  not_counted,
  publish_time
FROM `${table}`
QUALIFY ROW_NUMBER() OVER (PARTITION BY name ORDER BY publish_time DESC) = 1
