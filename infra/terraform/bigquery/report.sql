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
    SUM(IF(name = 'rating', number, 0)) AS rating_sum,
    SUM(IF(name = 'customer_message', number, 0)) AS customer_messages,
    SUM(IF(name = 'bot_message', number, 0)) AS bot_messages,
    SUM(IF(name = 'human_message', number, 0)) AS human_messages
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
),
taken AS (
  SELECT
    ${key} AS ${by},
    size,
    SUM(number) AS handoffs
  FROM `${measures}`
  WHERE name = 'exchanged'
  GROUP BY 1, 2
),
summed AS (
  SELECT
    ${by},
    size,
    SUM(handoffs) OVER (PARTITION BY ${by} ORDER BY size) AS upto,
    SUM(handoffs) OVER (PARTITION BY ${by}) AS ended
  FROM taken
  WHERE handoffs > 0
),
exchanged AS (
  SELECT
    ${by},
    MAX(ended) AS ended,
    MIN(IF(100 * upto >= 50 * ended, size, NULL)) AS median,
    MIN(IF(100 * upto >= 90 * ended, size, NULL)) AS p90
  FROM summed
  GROUP BY ${by}
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
  customer_messages,
  bot_messages,
  human_messages,
  IFNULL(exchanged.ended, 0) AS exchanged_count,
  exchanged.median AS exchanged_median,
  exchanged.p90 AS exchanged_p90,
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
LEFT JOIN exchanged USING (${by})
