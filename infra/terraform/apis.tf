locals {
  apis = toset([
    "artifactregistry", "cloudbuild", "cloudfunctions", "cloudresourcemanager", "cloudscheduler", "dialogflow", "firestore", "iam", "logging",
    "monitoring", "pubsub", "run", "secretmanager", "storage",
  ])
}

resource "google_project_service" "apis" {
  for_each = local.apis

  project            = var.project_id
  service            = "${each.key}.googleapis.com"
  disable_on_destroy = false
}

data "google_project" "baton" {
  project_id = var.project_id

  depends_on = [google_project_service.apis]
}
