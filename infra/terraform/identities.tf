# Who acts. A function has an identity of its own, and of rights only what its row in functions.json says.

resource "google_service_account" "functions" {
  for_each = local.functions

  project      = var.project_id
  account_id   = "${var.prefix}-${replace(each.key, "_", "-")}"
  display_name = "${local.title}: ${each.key}"

  depends_on = [google_project_service.apis]
}

resource "google_service_account" "callers" {
  for_each = {
    pubsub    = "${local.title}: Pub/Sub, when it pushes to a function"
    scheduler = "${local.title}: Cloud Scheduler, when it calls a function"
    build     = "${local.title}: builds the functions"
  }

  project      = var.project_id
  account_id   = "${var.prefix}-${each.key}"
  display_name = each.value

  depends_on = [google_project_service.apis]
}

# What a function may do in the project is its row's: with data, in the one database only.
resource "google_project_iam_member" "functions" {
  for_each = local.roles

  project = var.project_id
  role    = each.value.role
  member  = "serviceAccount:${google_service_account.functions[each.value.function].email}"

  dynamic "condition" {
    for_each = startswith(each.value.role, "roles/datastore.") ? ["projects/${var.project_id}/databases/${google_firestore_database.baton.name}"] : []
    content {
      title      = "Baton's database"
      expression = "resource.name == \"${condition.value}\""
    }
  }
}

resource "google_pubsub_topic_iam_member" "publishers" {
  for_each = local.publishers

  project = var.project_id
  topic   = google_pubsub_topic.these[each.value.topic].name
  role    = "roles/pubsub.publisher"
  member  = "serviceAccount:${google_service_account.functions[each.value.function].email}"
}

resource "google_secret_manager_secret_iam_member" "readers" {
  for_each = local.readers

  project   = var.project_id
  secret_id = google_secret_manager_secret.these[each.value.secret].secret_id
  role      = "roles/secretmanager.secretAccessor"
  member    = "serviceAccount:${google_service_account.functions[each.value.function].email}"
}

resource "google_project_iam_member" "build" {
  project = var.project_id
  role    = "roles/logging.logWriter"
  member  = "serviceAccount:${google_service_account.callers["build"].email}"
}

locals {
  copied_sources = "projects/_/buckets/gcf-v2-sources-${data.google_project.baton.number}-${var.region}"
}

# Cloud Functions copies the sources into a bucket that it makes at the first build, so the right is given in the project.
resource "google_project_iam_member" "sources" {
  project = var.project_id
  role    = "roles/storage.objectViewer"
  member  = "serviceAccount:${google_service_account.callers["build"].email}"

  condition {
    title = "sources of functions"
    # With a key of your own the name of the bucket ends in the key's hash.
    expression = join(" || ", concat(
      ["resource.name == \"${local.copied_sources}\"", "resource.name.startsWith(\"${local.copied_sources}/\")"],
      var.kms_key == null ? [] : ["resource.name.startsWith(\"${local.copied_sources}-\")"],
    ))
  }
}

# A right that was given a moment ago does not hold yet: without this wait the first builds fail.
resource "terraform_data" "rights_hold" {
  triggers_replace = google_project_iam_member.sources.id

  provisioner "local-exec" {
    command = "sleep ${var.wait_seconds}"
  }
}

resource "google_artifact_registry_repository_iam_member" "build" {
  project    = var.project_id
  location   = var.region
  repository = google_artifact_registry_repository.baton.name
  role       = "roles/artifactregistry.writer"
  member     = "serviceAccount:${google_service_account.callers["build"].email}"
}

resource "google_storage_bucket_iam_member" "build" {
  bucket = google_storage_bucket.sources.name
  role   = "roles/storage.objectViewer"
  member = "serviceAccount:${google_service_account.callers["build"].email}"
}
