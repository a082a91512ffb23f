-- What came of handoffs, by ${by}. README defines each figure; a percentile is the nearest rank, in whole seconds.
WITH counted AS (
  SELECT
    ${key} AS ${by},
    SUM(IF(name = 'conversation', number, 0)) AS conversations,
    SUM(IF(name = 'handed_off', number, 0)) AS handed_off,
    SUM(IF(name = 'requested', number, 0)) AS requested,
    SUM(IF(name = 'unasked', number, 0)) AS unasked,
    SUM(IF(name = 'joined', number, 0)) AS joined,
    SUM(IF(name = 'failed', number, 0)) AS failed,
    SUM(IF(name = 'closed', number, 0)) AS closed,
    SUM(IF(name = 'expired', number, 0)) AS expired,
    SUM(IF(name = 'linked', number, 0)) AS linked,
    SUM(IF(name = 'erased', number, 0)) AS erased,
    SUM(IF(name = 'left', number, 0)) AS left_,
    SUM(IF(name = 'returned', number, 0)) AS returned,
    SUM(IF(name = 'responded', number, 0)) AS responded,
    SUM(IF(name = 'silent', number, 0)) AS silent,
    SUM(IF(name = 'turn', number, 0)) AS turns,
    SUM(IF(name = 'answered', number, 0)) AS answered,
    SUM(IF(name = 'unanswered', number, 0)) AS unanswered,
    SUM(IF(name = 'frame', number, 0)) AS frames,
    SUM(IF(name = 'transferred', number, 0)) AS transferred,
    SUM(IF(name = 'offered', number, 0)) AS offered,
    SUM(IF(name = 'declined', number, 0)) AS declined,
    SUM(IF(name = 'lapsed', number, 0)) AS lapsed,
    SUM(IF(name = 'surveyed', number, 0)) AS surveyed,
    SUM(IF(name = 'rated', number, 0)) AS rated,
    SUM(IF(name = 'rating', number, 0)) AS rating_sum
  FROM `${measures}`
  GROUP BY 1
),
ranked AS (
  SELECT
    ${key} AS ${by},
    name,
    ROUND(seconds) AS seconds,
    ROW_NUMBER() OVER (PARTITION BY ${key}, name ORDER BY seconds) AS place,
    COUNT(*) OVER (PARTITION BY ${key}, name) AS ended
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
)
SELECT
  ${by},
  conversations,
  handed_off,
  SAFE_DIVIDE(handed_off, conversations) AS handoff_rate,
  requested,
  unasked,
  joined,
  failed,
  closed,
  expired,
  linked,
  erased,
  left_,
  returned,
  joined - left_ - returned AS with_human,
  transferred,
  offered,
  declined,
  lapsed,
  surveyed,
  rated,
  rating_sum,
  IFNULL(waiting.ended, 0) AS waiting_count,
  waiting.median AS waiting_median,
  waiting.p90 AS waiting_p90,
  failed + closed + expired + linked + erased AS waiting_without,
  requested - (joined - unasked) - failed - closed - expired - linked - erased AS waiting_open,
  IFNULL(first_response.ended, 0) AS first_response_count,
  first_response.median AS first_response_median,
  first_response.p90 AS first_response_p90,
  silent AS first_response_without,
  requested - responded - silent AS first_response_open,
  IFNULL(response.ended, 0) AS response_count,
  response.median AS response_median,
  response.p90 AS response_p90,
  unanswered AS response_without,
  turns - answered - unanswered AS response_open,
  IFNULL(handling.ended, 0) AS handling_count,
  handling.median AS handling_median,
  handling.p90 AS handling_p90,
  frames - IFNULL(handling.ended, 0) AS handling_open
FROM counted
LEFT JOIN (SELECT * FROM timed WHERE name = 'waiting') AS waiting USING (${by})
LEFT JOIN (SELECT * FROM timed WHERE name = 'first_response') AS first_response USING (${by})
LEFT JOIN (SELECT * FROM timed WHERE name = 'response') AS response USING (${by})
LEFT JOIN (SELECT * FROM timed WHERE name = 'handling') AS handling USING (${by})
