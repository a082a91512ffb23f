# One database to a Baton.
resource "google_firestore_database" "baton" {
  project                           = var.project_id
  name                              = local.database
  location_id                       = coalesce(var.firestore_location, var.region)
  type                              = "FIRESTORE_NATIVE"
  concurrency_mode                  = "OPTIMISTIC"
  point_in_time_recovery_enablement = "POINT_IN_TIME_RECOVERY_ENABLED"
  delete_protection_state           = "DELETE_PROTECTION_ENABLED"
  deletion_policy                   = "ABANDON"

  dynamic "cmek_config" {
    for_each = var.kms_key[*]
    content {
      kms_key_name = cmek_config.value
    }
  }

  depends_on = [google_project_service.apis, terraform_data.key_may_be_used]
}

resource "google_firestore_backup_schedule" "daily" {
  project   = var.project_id
  database  = google_firestore_database.baton.name
  retention = "604800s"

  daily_recurrence {}
}

resource "google_firestore_index" "these" {
  for_each = local.indexes

  project     = var.project_id
  database    = google_firestore_database.baton.name
  collection  = each.value.collection
  query_scope = each.value.scope

  dynamic "fields" {
    for_each = each.value.fields
    content {
      field_path   = split(" ", fields.value)[0]
      order        = endswith(fields.value, " CONTAINS") ? null : split(" ", fields.value)[1]
      array_config = endswith(fields.value, " CONTAINS") ? "CONTAINS" : null
    }
  }
}

# Every stored field has only the single-field indexes that a query uses: an index on a time that only grows would be a
# hotspot, and one on the body would cost a write and bound it to 1,500 bytes.
resource "google_firestore_field" "these" {
  for_each = local.fields

  project    = var.project_id
  database   = google_firestore_database.baton.name
  collection = each.value.collection
  field      = each.value.field

  index_config {
    dynamic "indexes" {
      for_each = each.value.indexes
      content {
        query_scope = split(" ", indexes.value)[0]
        order       = split(" ", indexes.value)[1]
      }
    }
  }

  dynamic "ttl_config" {
    for_each = each.value.field == local.firestore.ttl ? [1] : []
    content {}
  }
}
