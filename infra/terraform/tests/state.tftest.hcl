# The database that must not be lost, the alarms that must ring, and no BigQuery unless it is asked for.

mock_provider "google" {}

variables {
  project_id   = "baton-test"
  region       = "europe-west1"
  wait_seconds = 0
  gcloud       = "true"
  sources      = { for name, _ in jsondecode(file("functions.json")) : name => "../../build/${name}-0123456789abcdef.zip" }
}

run "the_database_is_safe_and_alarms_ring" {
  command = plan

  # Right settings pass, see variables.tftest.hcl.
  variables {
    settings = {
      UNCLAIMED_AFTER        = "90.5"
      UNCLAIMED_REMINDERS    = "0"
      BATON_BOT              = "dialogflow"
      CSKU_NEED_HUMAN        = "True"
      NOTICES_OFF            = "rcs, whatsapp"
      UNVERIFIED_FACTS       = "none"
      BRIDGE_ALLOWED_ORIGINS = "https://crm.example.com, http://localhost:9000"
      BATON_DESKS            = "[{\"name\": \"jakarta\", \"kind\": \"ccai\", \"hours\": {\"time_zone\": \"Asia/Jakarta\"}}, {\"name\": \"x\"}]"
      BATON_NOTICES          = "{\"en\": {\"joined\": \"{name} is here.\"}}"
      BATON_CONSOLE_URL      = "https://console.example.com/{conversation}"
    }
  }

  assert {
    condition     = google_cloudfunctions2_function.these["receive_webhook"].service_config[0].environment_variables["UNCLAIMED_AFTER"] == "90.5"
    error_message = "A setting reaches the function."
  }

  # The database

  assert {
    condition = (
      google_firestore_database.baton.name == "(default)" &&
      google_firestore_database.baton.type == "FIRESTORE_NATIVE" &&
      google_firestore_database.baton.concurrency_mode == "OPTIMISTIC" &&
      google_firestore_database.baton.location_id == "europe-west1" &&
      google_firestore_database.baton.point_in_time_recovery_enablement == "POINT_IN_TIME_RECOVERY_ENABLED" &&
      google_firestore_database.baton.delete_protection_state == "DELETE_PROTECTION_ENABLED" &&
      google_firestore_database.baton.deletion_policy == "ABANDON"
    )
    error_message = "The database the code uses has point-in-time recovery and is not deleted by accident."
  }
  assert {
    condition     = google_firestore_backup_schedule.daily.database == google_firestore_database.baton.name && length(google_firestore_backup_schedule.daily.daily_recurrence) == 1
    error_message = "The database is backed up daily."
  }

  # What expires

  assert {
    condition = toset([for one in google_firestore_field.these : "${one.collection} ${one.field}" if length(one.ttl_config) == 1]) == toset([
    "conversations expire_at", "journal expire_at", "people expire_at", "devices expire_at", "counts expire_at"])
    error_message = "Conversations, journal entries, people, devices and counts expire at expire_at, and nothing else does."
  }
  assert {
    condition     = alltrue([for one in google_firestore_field.these : length(one.index_config) == 1 && (contains(["journal pending_seq", "journal seq", "people due_at"], "${one.collection} ${one.field}") || length(one.index_config[0].indexes) == 0)])
    error_message = "No stored field keeps the single-field indexes that nobody uses."
  }

  # What rings

  assert {
    condition = toset(keys(google_monitoring_alert_policy.these)) == toset(["door_closed", "caller_refused", "server_errors", "acks_budget", "delivery_budget", "oldest_message",
    "sweep_stopped", "target_down", "deliveries_waiting", "failed_deliveries", "unread_webhooks", "unclaimed_handoffs", "dead_letters"])
    error_message = "An alarm is missing, or is not listed here."
  }
  assert {
    condition     = strcontains(google_monitoring_alert_policy.these["server_errors"].conditions[0].condition_threshold[0].filter, "\"forward-variables|receive-webhook|send-representative\"") && !strcontains(google_monitoring_dashboard.baton.dashboard_json, "services}")
    error_message = "Server errors are those of the public services that accept events."
  }
  assert {
    condition     = toset(keys(google_monitoring_uptime_check_config.these)) == toset(["receive_webhook", "send_representative", "forward_variables", "relay_media"]) && toset(keys(google_monitoring_slo.these)) == toset(["acks", "delivery"])
    error_message = "Every public door has its uptime check, and answers and deliveries have their objectives."
  }
  assert {
    condition     = alltrue([for one in google_monitoring_alert_policy.these : length(one.documentation[0].links) == 0 && strcontains(one.documentation[0].content, "infra/RUNBOOK.md#baton-")])
    error_message = "Every alarm names its paragraph of the runbook."
  }
  assert {
    condition     = length(google_monitoring_notification_channel.email) == 0
    error_message = "Without an address nobody is mailed."
  }
  assert {
    condition     = alltrue([for one in google_project_service.apis : one.disable_on_destroy == false])
    error_message = "Others in the project may use the same APIs."
  }

  # No BigQuery unless asked

  assert {
    condition     = length(google_bigquery_dataset.baton) + length(google_bigquery_table.reports) + length(google_pubsub_subscription.bigquery) == 0
    error_message = "Without var.bigquery there is no BigQuery."
  }
  assert {
    condition     = alltrue([for one in google_cloudfunctions2_function.these : !contains(keys(one.service_config[0].environment_variables), "REPORTS_STREAM")])
    error_message = "Without var.bigquery no function publishes what it measures."
  }
}
