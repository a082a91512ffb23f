-- Messages by ${by}: of whom, and how many. Lengths are those of texts.
SELECT
  ${key} AS ${by},
  SUM(IF(name = 'customer_message', number, 0)) AS customer_messages,
  SUM(IF(name = 'bot_message', number, 0)) AS bot_messages,
  SUM(IF(name = 'human_message', number, 0)) AS human_messages
FROM `${measures}`
WHERE name IN ('customer_message', 'bot_message', 'human_message')
GROUP BY 1
