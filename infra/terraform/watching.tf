# Uptime checks of the public doors, and objectives for answers and deliveries.

locals {
  # The anchor of each alarm's paragraph in RUNBOOK.md.
  paragraphs = { for name, alert in jsondecode(file("${path.module}/observability.json")).alerts : name =>
    replace(replace(lower(alert.title), "/[^\\w\\- ]/", ""), " ", "-")
  }
}

resource "google_monitoring_uptime_check_config" "these" {
  # Google's checks come from the internet.
  for_each = { for name, check in local.watching.checks : name => check if var.ingress == "all" }

  project          = var.project_id
  display_name     = "${local.title}: ${each.key}"
  period           = "300s"
  timeout          = "10s"
  selected_regions = ["EUROPE", "ASIA_PACIFIC", "USA_IOWA"]

  monitored_resource {
    type   = "uptime_url"
    labels = { project_id = var.project_id, host = local.host }
  }

  http_check {
    request_method = "GET"
    path           = "/${google_cloudfunctions2_function.these[each.key].name}${each.value.path}"
    port           = 443
    use_ssl        = true
    validate_ssl   = true

    accepted_response_status_codes {
      status_class = "STATUS_CLASS_2XX"
    }
  }

  content_matchers {
    content = each.value.contains
    matcher = "CONTAINS_STRING"
  }
}

resource "google_monitoring_custom_service" "baton" {
  project      = var.project_id
  service_id   = var.prefix
  display_name = local.title

  depends_on = [google_project_service.apis]
}

resource "google_monitoring_slo" "these" {
  for_each = local.watching.objectives

  project             = var.project_id
  service             = google_monitoring_custom_service.baton.service_id
  slo_id              = each.key
  display_name        = each.value.title
  goal                = each.value.goal
  rolling_period_days = each.value.days

  request_based_sli {
    dynamic "good_total_ratio" {
      for_each = each.value.measured == null ? [1] : []
      content {
        total_service_filter = each.value.total
        bad_service_filter   = each.value.bad
      }
    }

    dynamic "distribution_cut" {
      for_each = each.value.measured == null ? [] : [1]
      content {
        distribution_filter = each.value.measured

        range {
          min = 0
          max = each.value.at_most
        }
      }
    }
  }

  # An objective on a metric that Cloud Monitoring does not know yet is refused, like a policy.
  depends_on = [terraform_data.metrics_known]
}
