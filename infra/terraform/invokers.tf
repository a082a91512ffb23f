# Who may call. The right is on the Cloud Run service behind a function, whose name has - where the function's has _;
# a function that is made anew loses it, and so it is made anew with it.

# Google recommends that Cloud Run checks no caller's right where everybody may call. The resource of a function has no
# argument for it, so gcloud asks for it after every deployment, and for allUsers where an organisation forbids it.
# https://cloud.google.com/run/docs/authenticating/public
locals {
  service_of = "--project=${var.project_id} --region=${var.region} --quiet"
}

resource "terraform_data" "public" {
  for_each = toset([for name, _ in local.public : name if var.gcloud != null])

  input = { public = basename(google_cloudfunctions2_function.these[each.key].service_config[0].service) }

  triggers_replace = [
    google_cloudfunctions2_function.these[each.key].id,
    google_cloudfunctions2_function.these[each.key].update_time,
  ]

  provisioner "local-exec" {
    command = join(" || ", [
      "${var.gcloud} run services update ${self.input.public} --no-invoker-iam-check ${local.service_of}",
      "${var.gcloud} run services add-iam-policy-binding ${self.input.public} --member=allUsers --role=roles/run.invoker ${local.service_of}",
    ])
  }
}

# Where terraform runs without gcloud.
resource "google_cloud_run_v2_service_iam_member" "public" {
  for_each = toset([for name, _ in local.public : name if var.gcloud == null])

  project  = var.project_id
  location = var.region
  name     = basename(google_cloudfunctions2_function.these[each.key].service_config[0].service)
  role     = "roles/run.invoker"
  member   = "allUsers"

  lifecycle {
    replace_triggered_by = [google_cloudfunctions2_function.these[each.key].id]
  }
}

resource "google_cloud_run_v2_service_iam_member" "pubsub" {
  for_each = local.pushed

  project  = var.project_id
  location = var.region
  name     = basename(google_cloudfunctions2_function.these[each.key].service_config[0].service)
  role     = "roles/run.invoker"
  member   = "serviceAccount:${google_service_account.callers["pubsub"].email}"

  lifecycle {
    replace_triggered_by = [google_cloudfunctions2_function.these[each.key].id]
  }
}

resource "google_cloud_run_v2_service_iam_member" "scheduler" {
  for_each = local.scheduled

  project  = var.project_id
  location = var.region
  name     = basename(google_cloudfunctions2_function.these[each.key].service_config[0].service)
  role     = "roles/run.invoker"
  member   = "serviceAccount:${google_service_account.callers["scheduler"].email}"

  lifecycle {
    replace_triggered_by = [google_cloudfunctions2_function.these[each.key].id]
  }
}

resource "google_cloud_scheduler_job" "these" {
  for_each = local.scheduled

  project          = var.project_id
  region           = var.region
  name             = "${var.prefix}-${replace(each.key, "_", "-")}"
  description      = "${local.title}: ${each.key}"
  schedule         = each.value.schedule
  time_zone        = "Etc/UTC"
  attempt_deadline = "${each.value.timeout_seconds}s"

  http_target {
    http_method = "POST"
    uri         = google_cloudfunctions2_function.these[each.key].service_config[0].uri

    oidc_token {
      service_account_email = google_service_account.callers["scheduler"].email
      audience              = google_cloudfunctions2_function.these[each.key].service_config[0].uri
    }
  }

  depends_on = [google_cloud_run_v2_service_iam_member.scheduler]
}
