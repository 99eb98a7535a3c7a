-- Yesterday's won deals, as files for the function. BigQuery runs this every morning (main.tf).
EXECUTE IMMEDIATE FORMAT("""
EXPORT DATA OPTIONS (
  uri = 'gs://${input_bucket}/crm/deals-%s-*.csv.gz',
  format = 'CSV', compression = 'GZIP', header = true, overwrite = false
) AS
SELECT
  gclid,
  email,
  phone,
  deal_id AS order_id,
  won_at AS conversion_date_time,
  amount AS conversion_value,
  currency AS currency_code
FROM `${project_id}.${dataset}.${table}`
WHERE stage = 'won'
  AND won_at >= TIMESTAMP_SUB(TIMESTAMP_TRUNC(@run_time, DAY), INTERVAL 1 DAY)
  AND won_at < TIMESTAMP_TRUNC(@run_time, DAY)
""", FORMAT_DATE('%F', @run_date)) USING @run_time AS run_time
