-- Requests for a human by reason, the most frequent first.
SELECT
  of_ AS ${by},
  SUM(number) AS requested
FROM `${measures}`
WHERE name = 'requested'
GROUP BY 1
ORDER BY 2 DESC
