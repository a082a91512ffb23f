# BigQuery is made only where it is asked for, and then the handoff topic is written into a table that fits it.

mock_provider "google" {}

variables {
  project_id        = "baton-test"
  region            = "europe-west1"
  reports_time_zone = "Asia/Jakarta"
  wait_seconds      = 0
  gcloud            = "true"
  sources           = { for name, _ in jsondecode(file("functions.json")) : name => "../../build/${name}-0123456789abcdef.zip" }
}

run "nothing_unless_asked" {
  assert {
    condition     = length(google_bigquery_dataset.baton) + length(google_bigquery_table.reports) + length(google_pubsub_subscription.bigquery) == 0
    error_message = "Without var.bigquery there is no BigQuery."
  }
  assert {
    condition     = alltrue([for one in google_cloudfunctions2_function.these : !contains(keys(one.service_config[0].environment_variables), "REPORTS_STREAM")])
    error_message = "Without var.bigquery no function publishes what it measures."
  }
}

run "the_handoff_topic_is_written" {
  variables {
    bigquery = true
  }

  assert {
    condition = (
      google_pubsub_subscription.bigquery["baton"].topic == google_pubsub_topic.these["baton-handoffs"].id &&
      google_pubsub_subscription.bigquery["baton"].bigquery_config[0].table == "baton-test.baton.handoffs" &&
      google_pubsub_subscription.bigquery["baton"].bigquery_config[0].use_table_schema &&
      google_pubsub_subscription.bigquery["baton"].bigquery_config[0].drop_unknown_fields &&
      length(google_pubsub_subscription.bigquery["baton"].dead_letter_policy) == 1
    )
    error_message = "Pub/Sub writes baton-handoffs into the table, and no field that it has no column for."
  }
  assert {
    condition     = strcontains(google_monitoring_alert_policy.these["oldest_message"].conditions[0].condition_threshold[0].filter, "|${google_pubsub_subscription.bigquery["baton"].name}\"")
    error_message = "The age of this subscription is watched too."
  }
  assert {
    condition = (
      google_bigquery_dataset_iam_member.pubsub["baton"].role == "roles/bigquery.dataEditor" &&
      google_bigquery_dataset_iam_member.pubsub["baton"].member == local.pubsub_agent
    )
    error_message = "Pub/Sub's service agent may write there."
  }
  assert {
    condition     = toset([for one in jsondecode(google_bigquery_table.handoffs["baton"].schema) : one.name]) == toset(["id", "type", "time", "measures"])
    error_message = "The table has columns for what was measured, and none for a customer."
  }
  assert {
    condition     = google_bigquery_table.handoffs["baton"].time_partitioning[0].expiration_ms == 34560000000 && google_bigquery_table.handoffs["baton"].deletion_protection
    error_message = "Rows expire, the table does not."
  }
  assert {
    condition     = toset([for one in google_bigquery_table.reports : one.table_id]) == toset([for by in ["total", "channel", "day", "hour", "desk", "agent"] : "handoffs_by_${by}"])
    error_message = "There is a view for each way to break a report down."
  }
  assert {
    condition = alltrue([for name, one in google_bigquery_table.reports :
    !strcontains(one.view[0].query, "$${") && strcontains(one.view[0].query, "`baton-test.baton.measures`") && !one.view[0].use_legacy_sql])
    error_message = "Every view is filled in and reads the measures."
  }
  assert {
    condition     = strcontains(google_bigquery_table.reports["hour"].view[0].query, "DATETIME(started_at, 'Asia/Jakarta')")
    error_message = "Hours are those of the time zone that was asked for."
  }
  assert {
    condition = alltrue([for name, one in google_cloudfunctions2_function.these :
    (lookup(one.service_config[0].environment_variables, "REPORTS_STREAM", "off") == "on") == contains(local.functions[name].settings, "REPORTS_STREAM")])
    error_message = "Who counts also publishes what it counted."
  }
}
