-- Every measure once: Pub/Sub may deliver a message again, under the same id. `number` is -1 where one is taken back.
-- Of what began before the first whole day (UTC) in the table only the end may be there: it is left out.
SELECT
  measure.name,
  measure.`at` AS started_at,
  measure.channel,
  IFNULL(measure.desk, '') AS desk,
  IFNULL(measure.agent, '') AS agent,
  measure.seconds,
  IFNULL(measure.number, 1) AS number,
  IFNULL(measure.`of`, '') AS of_,
  measure.size
FROM (
  SELECT measures, ROW_NUMBER() OVER (PARTITION BY id ORDER BY time) AS copy
  FROM `${handoffs}`
  WHERE type = 'handoff.measured'
)
CROSS JOIN UNNEST(measures) AS measure
WHERE copy = 1
  AND measure.`at` >= (
    SELECT TIMESTAMP_ADD(TIMESTAMP_TRUNC(MIN(time), DAY), INTERVAL 1 DAY)
    FROM `${handoffs}`
    WHERE type = 'handoff.measured'
  )
