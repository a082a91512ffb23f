locals {
  watched = "resource.type=\"cloud_run_revision\" AND resource.labels.service_name=~\"^(${local.services})$\""
}

resource "google_logging_metric" "these" {
  for_each = local.observability.metrics

  project          = var.project_id
  name             = each.key
  description      = each.value.description
  filter           = "${local.watched} AND ${each.value.filter}"
  value_extractor  = each.value.value == null ? null : "EXTRACT(jsonPayload.${each.value.value})"
  label_extractors = { for label in each.value.labels : label => "EXTRACT(jsonPayload.${label})" }

  metric_descriptor {
    metric_kind = "DELTA"
    value_type  = each.value.value == null ? "INT64" : "DISTRIBUTION"
    unit        = each.value.value == null ? "1" : "s"

    dynamic "labels" {
      for_each = each.value.labels
      content {
        key = labels.value
      }
    }
  }

  depends_on = [google_project_service.apis]
}

# A policy on a metric that Cloud Monitoring does not know yet is refused with 404, for up to ten minutes after the
# metric was made. The functions are built meanwhile.
resource "terraform_data" "metrics_known" {
  triggers_replace = sort([for metric in google_logging_metric.these : metric.id])

  provisioner "local-exec" {
    command = "sleep ${10 * var.wait_seconds}"
  }
}

resource "google_monitoring_notification_channel" "email" {
  count = var.alert_email == null ? 0 : 1

  project      = var.project_id
  display_name = "Baton: ${var.alert_email}"
  type         = "email"
  labels       = { email_address = var.alert_email }

  depends_on = [google_project_service.apis]
}

resource "google_monitoring_alert_policy" "these" {
  for_each = local.watching.alerts

  project               = var.project_id
  display_name          = each.value.title
  combiner              = "OR"
  notification_channels = google_monitoring_notification_channel.email[*].name

  conditions {
    display_name = each.value.title

    dynamic "condition_threshold" {
      for_each = each.value.absent ? [] : [1]
      content {
        filter             = each.value.filter
        denominator_filter = each.value.denominator
        comparison         = "COMPARISON_GT"
        threshold_value    = each.value.threshold
        duration           = "${each.value.duration_seconds}s"

        # The rate at which a budget is used up is one series already.
        dynamic "aggregations" {
          for_each = each.value.aligner == null ? [] : [1]
          content {
            alignment_period     = "${each.value.period_seconds}s"
            per_series_aligner   = each.value.aligner
            cross_series_reducer = each.value.reducer
            group_by_fields      = each.value.group_by
          }
        }

        dynamic "denominator_aggregations" {
          for_each = each.value.denominator == null ? [] : [1]
          content {
            alignment_period     = "${each.value.period_seconds}s"
            per_series_aligner   = each.value.aligner
            cross_series_reducer = each.value.reducer
            group_by_fields      = each.value.group_by
          }
        }
      }
    }

    dynamic "condition_absent" {
      for_each = each.value.absent ? [1] : []
      content {
        filter   = each.value.filter
        duration = "${each.value.duration_seconds}s"

        aggregations {
          alignment_period     = "${each.value.period_seconds}s"
          per_series_aligner   = each.value.aligner
          cross_series_reducer = each.value.reducer
          group_by_fields      = each.value.group_by
        }
      }
    }
  }

  documentation {
    content   = "${each.value.advice}\n\nWhat to do: infra/RUNBOOK.md#${local.paragraphs[each.key]}"
    mime_type = "text/markdown"

    dynamic "links" {
      for_each = var.runbook == null ? [] : [1]
      content {
        display_name = "Runbook"
        url          = "${var.runbook}#${local.paragraphs[each.key]}"
      }
    }
  }

  # A policy on a metric or an objective that does not exist yet is refused.
  depends_on = [terraform_data.metrics_known, google_monitoring_slo.these]
}

resource "google_monitoring_dashboard" "baton" {
  project = var.project_id

  dashboard_json = jsonencode({
    displayName = local.title
    mosaicLayout = {
      columns = 12
      tiles = [for n, chart in local.observability.charts : {
        xPos   = n % 2 * 6
        yPos   = floor(n / 2) * 4
        width  = 6
        height = 4
        widget = {
          title = chart.title
          xyChart = {
            dataSets = [{
              plotType = "LINE"
              timeSeriesQuery = {
                timeSeriesFilter = {
                  filter = replace(chart.filter, "{services}", local.services)
                  aggregation = {
                    alignmentPeriod    = "60s"
                    perSeriesAligner   = chart.aligner
                    crossSeriesReducer = chart.reducer
                    groupByFields      = chart.group_by
                  }
                }
              }
            }]
          }
        }
      }]
    }
  })

  depends_on = [google_logging_metric.these]
}
