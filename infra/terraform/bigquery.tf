# Reports over more than one instance should read: the measures that Baton publishes on its handoff topic, in BigQuery, and
# README's definitions as views. Off unless var.bigquery is set. No customer's words, names or conversation ids get here:
# the table has no column for them.

locals {
  bigquery = var.bigquery ? [var.prefix] : []
  zone     = var.reports_time_zone

  # What each view is broken down by, in the SQL of BigQuery.
  reports = var.bigquery ? {
    total   = "'total'"
    channel = "channel"
    desk    = "desk"
    day     = "FORMAT_DATETIME('%F', DATETIME(started_at, '${local.zone}'))"
    hour    = "FORMAT_DATETIME('%A %H', DATETIME(started_at, '${local.zone}'))"
  } : {}
  agents = toset(var.bigquery ? ["agent"] : [])
  messages = var.bigquery ? {
    kind   = "of_"
    length = "IF(size IS NULL, '', CAST(size AS STRING))"
  } : {}
  reasons = toset(var.bigquery ? ["reason"] : [])
  queries = merge(
    { for name in keys(local.reports) : name => "report" },
    { for name in local.agents : name => "agents" },
    { for name in keys(local.messages) : name => "messages" },
    { for name in local.reasons : name => "reasons" },
  )
}

resource "google_project_service" "bigquery" {
  for_each = toset(local.bigquery)

  project            = var.project_id
  service            = "bigquery.googleapis.com"
  disable_on_destroy = false
}

resource "google_bigquery_dataset" "baton" {
  #checkov:skip=CKV_GCP_81:Google's own encryption at rest; a key of one's own is a decision per organisation
  for_each = toset(local.bigquery)

  project     = var.project_id
  dataset_id  = each.key
  location    = var.region
  description = "What Baton measured of its handoffs."

  depends_on = [google_project_service.bigquery]
}

resource "google_bigquery_table" "handoffs" {
  #checkov:skip=CKV_GCP_80:Google's own encryption at rest; a key of one's own is a decision per organisation
  for_each = google_bigquery_dataset.baton

  project             = var.project_id
  dataset_id          = each.value.dataset_id
  table_id            = "handoffs"
  description         = "The messages of ${var.prefix}-handoffs, as Pub/Sub writes them: possibly more than once."
  schema              = file("${path.module}/bigquery/handoffs.json")
  deletion_protection = true

  time_partitioning {
    type          = "DAY"
    field         = "time"
    expiration_ms = var.bigquery_days * 86400000
  }
}

resource "google_bigquery_table" "measures" {
  #checkov:skip=CKV_GCP_80:a view holds nothing
  #checkov:skip=CKV_GCP_121:a view is made again
  for_each = google_bigquery_table.handoffs

  project             = var.project_id
  dataset_id          = each.value.dataset_id
  table_id            = "measures"
  deletion_protection = false

  view {
    query          = templatefile("${path.module}/bigquery/measures.sql", { handoffs = "${var.project_id}.${var.prefix}.handoffs" })
    use_legacy_sql = false
  }
}

resource "google_bigquery_table" "reports" {
  #checkov:skip=CKV_GCP_80:a view holds nothing
  #checkov:skip=CKV_GCP_121:a view is made again
  for_each = local.queries

  project             = var.project_id
  dataset_id          = google_bigquery_dataset.baton[var.prefix].dataset_id
  table_id            = "handoffs_by_${each.key}"
  deletion_protection = false

  view {
    query = templatefile("${path.module}/bigquery/${each.value}.sql", {
      by = each.key, key = lookup(merge(local.reports, local.messages), each.key, each.key), measures = "${var.project_id}.${var.prefix}.measures",
    })
    use_legacy_sql = false
  }

  depends_on = [google_bigquery_table.measures]
}

# Pub/Sub's service agent writes the rows.
resource "google_bigquery_dataset_iam_member" "pubsub" {
  for_each = google_bigquery_dataset.baton

  project    = var.project_id
  dataset_id = each.value.dataset_id
  role       = "roles/bigquery.dataEditor"
  member     = local.pubsub_agent
}

resource "google_pubsub_subscription" "bigquery" {
  for_each = google_bigquery_table.handoffs

  project                    = var.project_id
  name                       = "${var.prefix}-handoffs-bigquery"
  topic                      = google_pubsub_topic.these["${var.prefix}-handoffs"].id
  message_retention_duration = "604800s"

  bigquery_config {
    table               = "${var.project_id}.${each.value.dataset_id}.${each.value.table_id}"
    use_table_schema    = true
    drop_unknown_fields = true
  }

  dead_letter_policy {
    dead_letter_topic     = google_pubsub_topic.dead["${var.prefix}-handoffs"].id
    max_delivery_attempts = 20
  }

  expiration_policy {
    ttl = ""
  }

  depends_on = [google_bigquery_dataset_iam_member.pubsub, google_pubsub_topic_iam_member.dead_letters]
}

resource "google_pubsub_subscription_iam_member" "bigquery_dead_letters" {
  for_each = google_pubsub_subscription.bigquery

  project      = var.project_id
  subscription = each.value.name
  role         = "roles/pubsub.subscriber"
  member       = local.pubsub_agent
}
