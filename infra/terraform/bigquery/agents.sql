-- What each ${by} did. A request belongs to nobody before somebody joins, so nothing here is about requests; nothing
-- that is here is ever taken back.
WITH ranked AS (
  SELECT
    ${by},
    name,
    ROUND(seconds) AS seconds,
    ROW_NUMBER() OVER (PARTITION BY ${by}, name ORDER BY seconds) AS place,
    COUNT(*) OVER (PARTITION BY ${by}, name) AS ended
  FROM `${measures}`
  WHERE seconds IS NOT NULL
),
timed AS (
  SELECT
    ${by},
    name,
    MAX(ended) AS ended,
    MIN(IF(100 * place >= 50 * ended, seconds, NULL)) AS median,
    MIN(IF(100 * place >= 90 * ended, seconds, NULL)) AS p90
  FROM ranked
  GROUP BY ${by}, name
),
counted AS (
  SELECT
    ${by},
    COUNTIF(name = 'taken') AS joined,
    COUNTIF(name = 'frame') AS frames,
    COUNTIF(name = 'quiet') AS returned,
    COUNTIF(name = 'transferred') AS transferred,
    COUNTIF(name = 'offered') AS offered,
    COUNTIF(name = 'declined') AS declined,
    COUNTIF(name = 'lapsed') AS lapsed,
    COUNTIF(name = 'surveyed') AS surveyed,
    COUNTIF(name = 'rated') AS rated,
    SUM(IF(name = 'rating', number, 0)) AS rating_sum,
    SUM(IF(name = 'human_message', number, 0)) AS messages
  FROM `${measures}`
  WHERE name IN (
    'taken', 'frame', 'quiet', 'waiting', 'first_response', 'response', 'handling',
    'transferred', 'offered', 'declined', 'lapsed', 'surveyed', 'rated', 'rating',
    'human_message'
  )
  GROUP BY ${by}
)
SELECT
  ${by},
  joined,
  frames,
  returned,
  transferred,
  offered,
  declined,
  lapsed,
  surveyed,
  rated,
  rating_sum,
  messages,
  IFNULL(waiting.ended, 0) AS waiting_count,
  waiting.median AS waiting_median,
  waiting.p90 AS waiting_p90,
  IFNULL(first_response.ended, 0) AS first_response_count,
  first_response.median AS first_response_median,
  first_response.p90 AS first_response_p90,
  IFNULL(response.ended, 0) AS response_count,
  response.median AS response_median,
  response.p90 AS response_p90,
  IFNULL(handling.ended, 0) AS handling_count,
  handling.median AS handling_median,
  handling.p90 AS handling_p90,
  frames - IFNULL(handling.ended, 0) AS handling_open
FROM counted
LEFT JOIN (SELECT * FROM timed WHERE name = 'waiting') AS waiting USING (${by})
LEFT JOIN (SELECT * FROM timed WHERE name = 'first_response') AS first_response USING (${by})
LEFT JOIN (SELECT * FROM timed WHERE name = 'response') AS response USING (${by})
LEFT JOIN (SELECT * FROM timed WHERE name = 'handling') AS handling USING (${by})
