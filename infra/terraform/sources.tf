resource "google_storage_bucket" "sources" {
  #checkov:skip=CKV_GCP_62:holds the code only, whose history is in git; nobody needs to know who read it
  #checkov:skip=CKV_GCP_78:objects are named by their content and never replaced
  project                     = var.project_id
  name                        = "${var.project_id}-${var.prefix}-sources"
  location                    = var.region
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"
  force_destroy               = true
  labels                      = var.labels

  dynamic "encryption" {
    for_each = var.kms_key[*]
    content {
      default_kms_key_name = encryption.value
    }
  }

  depends_on = [google_project_service.apis, terraform_data.key_may_be_used]
}

# The name holds the hash of the content: a function is deployed anew when its object's name changes, and only then.
resource "google_storage_bucket_object" "sources" {
  for_each = local.functions

  bucket = google_storage_bucket.sources.name
  name   = basename(var.sources[each.key])
  source = var.sources[each.key]
}

resource "google_artifact_registry_repository" "baton" {
  #checkov:skip=CKV_GCP_84:Google's own encryption at rest, or var.kms_key
  project       = var.project_id
  location      = var.region
  repository_id = var.prefix
  format        = "DOCKER"
  description   = "The images that Cloud Build makes of Baton's functions."
  kms_key_name  = var.kms_key
  labels        = var.labels

  cleanup_policies {
    id     = "delete-old"
    action = "DELETE"
    condition {
      older_than = "2592000s"
    }
  }
  cleanup_policies {
    id     = "keep-recent"
    action = "KEEP"
    most_recent_versions {
      keep_count = 5
    }
  }

  depends_on = [google_project_service.apis, terraform_data.key_may_be_used]
}
