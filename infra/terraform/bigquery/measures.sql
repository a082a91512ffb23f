-- Every measure once: Pub/Sub may deliver a message again, under the same id.
SELECT measure.name, measure.`at` AS started_at, measure.channel, measure.desk, measure.agent, measure.seconds
FROM (
  SELECT measures, ROW_NUMBER() OVER (PARTITION BY id ORDER BY time) AS copy
  FROM `${handoffs}`
  WHERE type = 'handoff.measured'
)
CROSS JOIN UNNEST(measures) AS measure
WHERE copy = 1
