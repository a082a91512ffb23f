resource "google_cloudfunctions2_function" "these" {
  for_each = local.functions

  project     = var.project_id
  location    = var.region
  name        = local.names[each.key]
  description = "${local.title}: ${each.key}"

  kms_key_name = var.kms_key
  labels       = var.labels

  build_config {
    runtime           = "python313"
    entry_point       = each.key
    service_account   = google_service_account.callers["build"].name
    docker_repository = google_artifact_registry_repository.baton.id

    automatic_update_policy {}

    source {
      storage_source {
        bucket = google_storage_bucket.sources.name
        object = google_storage_bucket_object.sources[each.key].name
      }
    }
  }

  service_config {
    all_traffic_on_latest_revision   = true
    service_account_email            = google_service_account.functions[each.key].email
    ingress_settings                 = each.value.trigger == "http-public" ? { all = "ALLOW_ALL", internal-and-gclb = "ALLOW_INTERNAL_AND_GCLB" }[var.ingress] : "ALLOW_INTERNAL_ONLY"
    vpc_connector                    = var.vpc_connector
    vpc_connector_egress_settings    = var.vpc_connector == null ? null : { private-ranges-only = "PRIVATE_RANGES_ONLY", all = "ALL_TRAFFIC" }[var.egress]
    available_memory                 = "${each.value.memory_mb}Mi"
    available_cpu                    = tostring(each.value.cpu)
    max_instance_request_concurrency = each.value.concurrency
    timeout_seconds                  = each.value.timeout_seconds
    min_instance_count               = min(each.value.min_instances, var.max_instances)
    max_instance_count               = min(each.value.max_instances, var.max_instances)

    environment_variables = merge(
      {
        BATON_STORE          = "firestore"
        BATON_QUEUE          = "pubsub"
        GOOGLE_CLOUD_PROJECT = var.project_id
        FUNCTION_USE_ASGI    = "true"
        LOG_EXECUTION_ID     = "true"
      },
      local.alone ? {} : { BATON_PREFIX = var.prefix },
      local.database == "(default)" ? {} : { BATON_DATABASE = local.database },
      var.bigquery && contains(each.value.settings, "REPORTS_STREAM") ? { REPORTS_STREAM = "on" } : {},
      # Which platforms are in use: those of which a secret has a value.
      length(local.platforms) > 0 && contains(each.value.settings, "BATON_PLATFORMS") ? { BATON_PLATFORMS = join(",", local.platforms) } : {},
      # Links to files are made once these have a key. The address is not read from the function: that would be a cycle.
      contains(var.secrets, "MEDIA_LINK_KEYS") && contains(each.value.settings, "MEDIA_URL") ? { MEDIA_URL = "https://${local.host}/${local.names["relay_media"]}" } : {},
      var.rotated == null ? {} : { SECRETS_ROTATED = var.rotated },
      { for name, value in var.settings : name => value if contains(each.value.settings, name) },
    )

    dynamic "secret_environment_variables" {
      for_each = setintersection(each.value.secrets, var.secrets)
      content {
        key        = secret_environment_variables.value
        project_id = var.project_id
        secret     = google_secret_manager_secret.these[secret_environment_variables.value].secret_id
        version    = "latest"
      }
    }
  }

  # A build without these rights fails, an instance without its secrets does not start, a query without its index fails.
  depends_on = [
    google_project_iam_member.build,
    terraform_data.rights_hold,
    terraform_data.key_may_be_used,
    google_artifact_registry_repository_iam_member.build,
    google_storage_bucket_iam_member.build,
    google_secret_manager_secret_iam_member.readers,
    google_firestore_index.these,
  ]
}
