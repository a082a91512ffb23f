# Terraform makes the secrets and never sees their values, which would lie in its state: add versions with
# `gcloud secrets versions add`, then name the secrets in var.secrets.
resource "google_secret_manager_secret" "these" {
  for_each = local.secrets

  project             = var.project_id
  secret_id           = local.secret_names[each.key]
  deletion_protection = false

  replication {
    auto {}
  }

  depends_on = [google_project_service.apis]
}
