# Terraform makes the secrets and never sees their values, which would lie in its state: add versions with
# `gcloud secrets versions add`, then name the secrets in var.secrets.
resource "google_secret_manager_secret" "these" {
  for_each = local.secrets

  project             = var.project_id
  secret_id           = local.secret_names[each.key]
  deletion_protection = false
  labels              = var.labels

  # A key of a region can only encrypt what lies in that region.
  replication {
    dynamic "auto" {
      for_each = var.kms_key == null ? [1] : []
      content {}
    }

    dynamic "user_managed" {
      for_each = var.kms_key[*]
      content {
        replicas {
          location = var.region

          customer_managed_encryption {
            kms_key_name = user_managed.value
          }
        }
      }
    }
  }

  depends_on = [google_project_service.apis, terraform_data.key_may_be_used]
}
