# Each topic has a dead-letter topic with a subscription that keeps what arrives there: without one it would be lost.

resource "google_pubsub_topic" "these" {
  #checkov:skip=CKV_GCP_83:Google's own encryption at rest, or var.kms_key
  for_each = local.topics

  project      = var.project_id
  name         = each.key
  kms_key_name = var.kms_key
  labels       = var.labels

  # Order holds only among messages that were published in one region.
  message_storage_policy {
    allowed_persistence_regions = [var.region]
  }

  depends_on = [google_project_service.apis, terraform_data.key_may_be_used]
}

resource "google_pubsub_topic" "dead" {
  #checkov:skip=CKV_GCP_83:Google's own encryption at rest, or var.kms_key
  for_each = local.topics

  project      = var.project_id
  name         = "${each.key}-dead"
  kms_key_name = var.kms_key
  labels       = var.labels

  message_storage_policy {
    allowed_persistence_regions = [var.region]
  }

  depends_on = [google_project_service.apis, terraform_data.key_may_be_used]
}

resource "google_pubsub_subscription" "dead" {
  for_each = local.topics

  project                    = var.project_id
  name                       = google_pubsub_topic.dead[each.key].name
  topic                      = google_pubsub_topic.dead[each.key].id
  ack_deadline_seconds       = 60
  message_retention_duration = "604800s"

  expiration_policy {
    ttl = ""
  }
}

resource "google_pubsub_subscription" "pushed" {
  for_each = local.pushed

  project                    = var.project_id
  name                       = each.value.topic
  topic                      = google_pubsub_topic.these[each.value.topic].id
  ack_deadline_seconds       = each.value.timeout_seconds + 30
  message_retention_duration = "604800s"
  enable_message_ordering    = true

  push_config {
    push_endpoint = google_cloudfunctions2_function.these[each.key].service_config[0].uri

    oidc_token {
      service_account_email = google_service_account.callers["pubsub"].email
      audience              = google_cloudfunctions2_function.these[each.key].service_config[0].uri
    }
  }

  retry_policy {
    minimum_backoff = "${each.value.retry.min_seconds}s"
    maximum_backoff = "${each.value.retry.max_seconds}s"
  }

  dead_letter_policy {
    dead_letter_topic     = google_pubsub_topic.dead[each.value.topic].id
    max_delivery_attempts = each.value.retry.max_deliveries
  }

  expiration_policy {
    ttl = ""
  }

  depends_on = [
    google_cloud_run_v2_service_iam_member.pubsub,
    google_pubsub_topic_iam_member.dead_letters,
  ]
}

# Pub/Sub itself moves a message to the dead letters: its service agent publishes there and acknowledges here.
locals {
  pubsub_agent = "serviceAccount:${terraform_data.pubsub_agent.output}"
}

# A service agent cannot be given a right before it was made. Without gcloud it is made with the first topic, or later.
resource "terraform_data" "pubsub_agent" {
  input = "service-${data.google_project.baton.number}@gcp-sa-pubsub.iam.gserviceaccount.com"

  provisioner "local-exec" {
    command = var.gcloud == null ? "true" : "${var.gcloud} beta services identity create --service=pubsub.googleapis.com --project=${var.project_id} --quiet"
  }
}

resource "google_pubsub_topic_iam_member" "dead_letters" {
  for_each = local.topics

  project = var.project_id
  topic   = google_pubsub_topic.dead[each.key].name
  role    = "roles/pubsub.publisher"
  member  = local.pubsub_agent
}

resource "google_pubsub_subscription_iam_member" "dead_letters" {
  for_each = local.pushed

  project      = var.project_id
  subscription = google_pubsub_subscription.pushed[each.key].name
  role         = "roles/pubsub.subscriber"
  member       = local.pubsub_agent
}
