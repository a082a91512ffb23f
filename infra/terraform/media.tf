# Where files of conversations are kept, if MEDIA_BUCKET names a bucket: as long as the journal.

locals {
  media_bucket = try(var.settings["MEDIA_BUCKET"], null)
  media_rights = local.media_bucket == null ? {} : { for name, row in local.functions : name => row.bucket_role
    if can(row.bucket_role)
  }
}

resource "google_storage_bucket" "media" {
  #checkov:skip=CKV_GCP_62:the journal records who sent what, and relay_media logs each fetch
  #checkov:skip=CKV_GCP_78:what a customer had erased must not stay as an older version
  for_each = toset(local.media_bucket[*])

  project                     = var.project_id
  name                        = each.key
  location                    = var.region
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"
  force_destroy               = false
  labels                      = var.labels

  # What is deleted is gone at once.
  soft_delete_policy {
    retention_duration_seconds = 0
  }

  lifecycle_rule {
    action {
      type = "Delete"
    }
    condition {
      age = tonumber(try(var.settings["JOURNAL_TTL_DAYS"], "30"))
    }
  }

  dynamic "encryption" {
    for_each = var.kms_key[*]
    content {
      default_kms_key_name = encryption.value
    }
  }

  depends_on = [google_project_service.apis, terraform_data.key_may_be_used]
}

resource "google_storage_bucket_iam_member" "media" {
  for_each = local.media_rights

  bucket = google_storage_bucket.media[local.media_bucket].name
  role   = each.value
  member = "serviceAccount:${google_service_account.functions[each.key].email}"
}
