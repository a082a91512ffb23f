# Who calls whom, who may do what. The mock gives every function and account another address, so what is compared here
# is the wire, not a name. What needs nothing that the cloud makes up is read off a plan, which takes half the time.
# A run takes three seconds of processor time: what needs the same variables stands in one, and
# what is applied stands in this file: to tear down what a file has applied takes five seconds more. The first run that
# applies has no state, and nothing of what is made only where it is asked for.

mock_provider "google" {}

variables {
  project_id   = "baton-test"
  region       = "europe-west1"
  alert_email  = "oncall@example.com"
  runbook      = "https://git.example.com/baton/infra/RUNBOOK.md"
  secrets      = ["BATON_API_KEYS", "CSKU_WEBHOOK_SECRETS"]
  settings     = { UNCLAIMED_AFTER = "60", BUSINESS_MESSAGES_API_URL = "https://example.com" }
  wait_seconds = 0
  gcloud       = "true"
  sources      = { for name, _ in jsondecode(file("functions.json")) : name => "../../build/${name}-0123456789abcdef.zip" }
}

run "bigquery_from_the_start" {
  command = plan

  variables {
    bigquery = true
  }

  assert {
    condition     = length(google_pubsub_subscription.bigquery) == 1
    error_message = "BigQuery can be planned where nothing was made yet."
  }
}

run "the_usual" {
  # What a function is given

  assert {
    condition = alltrue([for name, function in google_cloudfunctions2_function.these :
      function.service_config[0].service_account_email == google_service_account.functions[name].email &&
      function.build_config[0].entry_point == name &&
      function.build_config[0].service_account == google_service_account.callers["build"].name &&
      function.build_config[0].docker_repository == google_artifact_registry_repository.baton.id &&
    function.build_config[0].source[0].storage_source[0].object == google_storage_bucket_object.sources[name].name])
    error_message = "A function is its own source, built by the build account, running as itself."
  }
  assert {
    condition = alltrue([for name, object in google_storage_bucket_object.sources :
    object.name == "${name}-0123456789abcdef.zip" && object.bucket == google_storage_bucket.sources.name])
    error_message = "A source keeps the name that holds its hash: only then does a change deploy anew."
  }
  assert {
    condition     = toset([for one in google_cloudfunctions2_function.these["receive_webhook"].service_config[0].secret_environment_variables : "${one.key} ${one.secret} ${one.version}"]) == toset(["CSKU_WEBHOOK_SECRETS CSKU_WEBHOOK_SECRETS latest"])
    error_message = "Of its secrets a function is given those that have a value, under their own names."
  }
  assert {
    condition = alltrue([for name, function in google_cloudfunctions2_function.these :
      length(function.service_config[0].secret_environment_variables) == length(setintersection(local.functions[name].secrets, var.secrets)) &&
      contains(keys(function.service_config[0].environment_variables), "UNCLAIMED_AFTER") == contains(local.functions[name].settings, "UNCLAIMED_AFTER") &&
      function.service_config[0].environment_variables["BATON_STORE"] == "firestore" &&
      function.service_config[0].environment_variables["BATON_QUEUE"] == "pubsub" &&
      function.service_config[0].environment_variables["GOOGLE_CLOUD_PROJECT"] == "baton-test" &&
    function.service_config[0].environment_variables["LOG_EXECUTION_ID"] == "true"])
    error_message = "A function is given the settings of its row and no other."
  }
  assert {
    condition     = google_cloudfunctions2_function.these["deliver_outbox"].service_config[0].environment_variables["BUSINESS_MESSAGES_API_URL"] == "https://example.com" && !contains(keys(google_cloudfunctions2_function.these["receive_webhook"].service_config[0].environment_variables), "BUSINESS_MESSAGES_API_URL")
    error_message = "Only who sends is told where to send."
  }

  # The url of every platform

  assert {
    condition = alltrue([for name in ["business_messages", "csku", "rcs", "whatsapp", "ccai", "matrix"] :
    output.webhook_urls[name] == "${google_cloudfunctions2_function.these["receive_webhook"].url}/${name}"])
    error_message = "Every platform has its webhook URL among the outputs."
  }
  assert {
    condition     = output.webhook_urls["v1/conversations"] == "${google_cloudfunctions2_function.these["send_representative"].url}/v1/conversations"
    error_message = "The API's address is among the outputs."
  }
  assert {
    condition     = join(",", output.missing_secrets) == "CSKU_API_SECRET"
    error_message = "What still has no value is said."
  }

  # Who calls whom

  assert {
    condition     = toset(keys(terraform_data.public)) == toset(["receive_webhook", "send_representative", "forward_variables", "relay_media"]) && length(google_cloud_run_v2_service_iam_member.public) == 0
    error_message = "Only the webhook, the API, the bridge and the relay may be called by everybody: they check signatures, keys and links themselves."
  }
  assert {
    condition = alltrue([for name, one in terraform_data.public :
      one.output.public == google_cloudfunctions2_function.these[name].service_config[0].service &&
    contains(one.triggers_replace, google_cloudfunctions2_function.these[name].update_time)])
    error_message = "A public function is opened at its own Cloud Run service, again after every deployment."
  }
  assert {
    condition = alltrue([for name, function in google_cloudfunctions2_function.these :
    function.service_config[0].ingress_settings == (contains(keys(terraform_data.public), name) ? "ALLOW_ALL" : "ALLOW_INTERNAL_ONLY")])
    error_message = "A function is open to the internet if, and only if, everybody may call it."
  }
  assert {
    condition     = alltrue([for name in ["deliver_outbox", "notify_handoff", "run_bot", "sweep"] : google_cloudfunctions2_function.these[name].service_config[0].ingress_settings == "ALLOW_INTERNAL_ONLY"])
    error_message = "Delivery, notifications and sweep are private."
  }

  # Who calls the private ones

  assert {
    condition = alltrue([for name, right in google_cloud_run_v2_service_iam_member.pubsub :
      right.member == "serviceAccount:${google_service_account.callers["pubsub"].email}" &&
      right.role == "roles/run.invoker" &&
    right.name == google_cloudfunctions2_function.these[name].service_config[0].service])
    error_message = "Pub/Sub pushes under its own account, which may invoke exactly what it pushes to."
  }
  assert {
    condition = alltrue([for name, right in google_cloud_run_v2_service_iam_member.scheduler :
      right.member == "serviceAccount:${google_service_account.callers["scheduler"].email}" &&
      right.role == "roles/run.invoker" &&
    right.name == google_cloudfunctions2_function.these[name].service_config[0].service])
    error_message = "Cloud Scheduler calls under its own account, which may invoke exactly what it calls."
  }
  assert {
    condition = alltrue([for name in keys(local.functions) : length([for rights in [
      terraform_data.public, google_cloud_run_v2_service_iam_member.pubsub, google_cloud_run_v2_service_iam_member.scheduler,
    ] : 1 if contains(keys(rights), name)]) == (local.functions[name].trigger == "http-private" ? 0 : 1)])
    error_message = "Every function has exactly one kind of caller."
  }
  assert {
    condition = (
      google_cloud_scheduler_job.these["sweep"].http_target[0].uri == google_cloudfunctions2_function.these["sweep"].service_config[0].uri &&
      google_cloud_scheduler_job.these["sweep"].http_target[0].http_method == "POST" &&
      google_cloud_scheduler_job.these["sweep"].http_target[0].oidc_token[0].service_account_email == google_service_account.callers["scheduler"].email &&
      google_cloud_scheduler_job.these["sweep"].http_target[0].oidc_token[0].audience == google_cloudfunctions2_function.these["sweep"].service_config[0].uri &&
      google_cloud_scheduler_job.these["sweep"].schedule == "* * * * *"
    )
    error_message = "Cloud Scheduler sweeps every minute, as itself."
  }

  # Which subscription pushes where

  assert {
    condition = alltrue([for topic, name in { baton-outbox = "deliver_outbox", baton-handoffs = "notify_handoff", baton-user-messages = "run_bot" } :
      google_pubsub_subscription.pushed[name].topic == google_pubsub_topic.these[topic].id &&
    google_pubsub_subscription.pushed[name].push_config[0].push_endpoint == google_cloudfunctions2_function.these[name].service_config[0].uri])
    error_message = "baton-outbox wakes deliver_outbox, baton-handoffs notify_handoff, baton-user-messages run_bot."
  }
  assert {
    condition = alltrue([for name, one in google_pubsub_subscription.pushed :
      one.push_config[0].push_endpoint == google_cloudfunctions2_function.these[name].service_config[0].uri &&
      one.push_config[0].oidc_token[0].audience == google_cloudfunctions2_function.these[name].service_config[0].uri &&
    one.push_config[0].oidc_token[0].service_account_email == google_service_account.callers["pubsub"].email])
    error_message = "A subscription pushes to its function with a token for that function."
  }
  assert {
    condition = alltrue([for name, one in google_pubsub_subscription.pushed :
      one.enable_message_ordering && one.expiration_policy[0].ttl == "" &&
    one.ack_deadline_seconds > google_cloudfunctions2_function.these[name].service_config[0].timeout_seconds])
    error_message = "Pushes are in order, never expire, and are not repeated while the function still works."
  }
  assert {
    condition = (
      google_pubsub_subscription.pushed["deliver_outbox"].retry_policy[0].minimum_backoff == "10s" &&
      google_pubsub_subscription.pushed["deliver_outbox"].retry_policy[0].maximum_backoff == "600s" &&
      google_pubsub_subscription.pushed["deliver_outbox"].dead_letter_policy[0].max_delivery_attempts == 100
    )
    error_message = "A wake-up is delivered up to 100 times, 10 to 600 seconds apart."
  }
  assert {
    condition     = strcontains(google_monitoring_alert_policy.these["oldest_message"].conditions[0].condition_threshold[0].filter, "\"baton-handoffs|baton-outbox|baton-user-messages\"")
    error_message = "The age of every subscription is watched."
  }
  assert {
    condition     = length(regexall("[{][a-z_]+[}]", jsonencode(values(google_monitoring_alert_policy.these)[*].conditions))) == 0
    error_message = "Every filter is filled in."
  }

  # Where dead letters go

  assert {
    condition = alltrue([for name, one in google_pubsub_subscription.pushed :
      one.dead_letter_policy[0].dead_letter_topic == google_pubsub_topic.dead[local.functions[name].topic].id &&
    google_pubsub_topic.dead[local.functions[name].topic].name == "${local.functions[name].topic}-dead"])
    error_message = "What a subscription gives up goes to the dead-letter topic of its own topic."
  }
  assert {
    condition = alltrue([for topic in ["baton-outbox", "baton-handoffs", "baton-user-messages", "baton-variables"] :
      google_pubsub_subscription.dead[topic].topic == google_pubsub_topic.dead[topic].id &&
      google_pubsub_subscription.dead[topic].name == "${topic}-dead" &&
    google_pubsub_subscription.dead[topic].expiration_policy[0].ttl == ""])
    error_message = "Every dead-letter topic has a subscription that keeps its letters."
  }
  assert {
    condition = alltrue([for topic, right in google_pubsub_topic_iam_member.dead_letters :
    right.topic == google_pubsub_topic.dead[topic].name && right.role == "roles/pubsub.publisher" && right.member == local.pubsub_agent])
    error_message = "Pub/Sub's service agent publishes the dead letters."
  }
  assert {
    condition = alltrue([for name, one in google_pubsub_subscription.pushed :
      google_pubsub_subscription_iam_member.dead_letters[name].subscription == one.name &&
      google_pubsub_subscription_iam_member.dead_letters[name].role == "roles/pubsub.subscriber" &&
    google_pubsub_subscription_iam_member.dead_letters[name].member == local.pubsub_agent])
    error_message = "Pub/Sub's service agent takes dead letters out of the subscription."
  }
  assert {
    condition     = local.pubsub_agent == "serviceAccount:${terraform_data.pubsub_agent.output}" && endswith(terraform_data.pubsub_agent.output, "@gcp-sa-pubsub.iam.gserviceaccount.com")
    error_message = "A right of Pub/Sub's service agent waits until the agent was made."
  }

  # Who may do what

  assert {
    condition = toset([for right in google_pubsub_topic_iam_member.publishers : "${right.member} ${right.topic} ${right.role}"]) == toset([
      for pair in [
        ["receive_webhook", "baton-outbox"], ["receive_webhook", "baton-user-messages"], ["receive_webhook", "baton-handoffs"],
        ["send_representative", "baton-outbox"], ["send_representative", "baton-handoffs"], ["forward_variables", "baton-outbox"],
        ["deliver_outbox", "baton-handoffs"], ["deliver_outbox", "baton-user-messages"], ["deliver_outbox", "baton-variables"],
        ["notify_handoff", "baton-outbox"], ["run_bot", "baton-outbox"], ["sweep", "baton-outbox"],
      ] : "serviceAccount:${google_service_account.functions[pair[0]].email} ${google_pubsub_topic.these[pair[1]].name} roles/pubsub.publisher"
    ])
    error_message = "Who publishes what has changed: if it is meant, say so here as well."
  }

  # Who may read what

  assert {
    condition     = toset([for right in google_project_iam_member.functions : right.member]) == toset([for one in google_service_account.functions : "serviceAccount:${one.email}"])
    error_message = "Every function works with the database."
  }
  assert {
    condition = alltrue([for right in google_project_iam_member.functions :
      contains(["roles/datastore.user", "roles/datastore.viewer"], right.role) ? (right.role == "roles/datastore.viewer") == (right.member == "serviceAccount:${google_service_account.functions["relay_media"].email}") && join(" and ", right.condition[*].expression) == "resource.name == \"projects/baton-test/databases/(default)\"" :
    right.role == "roles/dialogflow.client" && right.member == "serviceAccount:${google_service_account.functions["run_bot"].email}" && length(right.condition) == 0])
    error_message = "The roles that functions have in the project are datastore.user, for relay_media datastore.viewer, in the one database, and for run_bot dialogflow.client."
  }
  assert {
    condition = alltrue([for right in google_secret_manager_secret_iam_member.readers : right.role == "roles/secretmanager.secretAccessor"]) && toset([
      for right in google_secret_manager_secret_iam_member.readers : "${right.member} ${right.secret_id}"
      ]) == toset(flatten([for name, row in local.functions : [
        for secret in row.secrets : "serviceAccount:${google_service_account.functions[name].email} ${secret}"
    ]]))
    error_message = "A function reads the secrets of its row and no other."
  }
  assert {
    condition = toset([for right in google_secret_manager_secret_iam_member.readers : right.member if right.secret_id == "BATON_API_KEYS"]) == toset([
    "serviceAccount:${google_service_account.functions["send_representative"].email}"])
    error_message = "Only the API reads the API's keys."
  }
  assert {
    condition     = length([for name, _ in google_secret_manager_secret_iam_member.readers : name if startswith(name, "sweep ")]) == 0
    error_message = "The sweep needs no secret."
  }

  # Indexes

  assert {
    condition = toset([for one in google_firestore_index.these :
      join(" ", concat([one.collection, one.query_scope], [for field in one.fields :
      "${field.field_path} ${field.array_config == "CONTAINS" ? "CONTAINS" : field.order}"]))]) == toset([
      for one in local.firestore.indexes : join(" ", concat([one.collection, one.scope], one.fields))
    ])
    error_message = "Every index of firestore.json is made as it is written there."
  }
}

run "without_gcloud_and_with_other_secrets" {
  command = plan

  variables {
    gcloud  = null
    secrets = ["WHATSAPP_APP_SECRETS"]
  }

  assert {
    condition     = length(terraform_data.public) == 0
    error_message = "Without gcloud nothing asks for it."
  }
  assert {
    condition = toset(keys(google_cloud_run_v2_service_iam_member.public)) == toset(["receive_webhook", "send_representative", "forward_variables", "relay_media"]) && alltrue([
      for name, right in google_cloud_run_v2_service_iam_member.public :
    right.member == "allUsers" && right.role == "roles/run.invoker" && right.name == google_cloudfunctions2_function.these[name].service_config[0].service])
    error_message = "Without gcloud a public function is opened to allUsers, at its own Cloud Run service."
  }
  assert {
    condition     = join(",", output.missing_secrets) == "BATON_API_KEYS,WHATSAPP_ACCESS_TOKEN,WHATSAPP_VERIFY_TOKEN"
    error_message = "Only secrets of the platforms in use and of the API are named."
  }
  assert {
    condition     = google_cloudfunctions2_function.these["deliver_outbox"].service_config[0].environment_variables["BATON_PLATFORMS"] == "whatsapp"
    error_message = "A function that sends knows which platforms are in use."
  }
}

run "two_in_one_project" {
  variables {
    prefix = "dev"
  }

  assert {
    condition = alltrue(flatten([
      [for name, one in google_cloudfunctions2_function.these : one.name == "dev_${name}" && one.build_config[0].entry_point == name],
      [for one in google_pubsub_topic.these : startswith(one.name, "dev-")],
      [for one in google_pubsub_topic.dead : startswith(one.name, "dev-")],
      [for one in google_pubsub_subscription.pushed : startswith(one.name, "dev-")],
      [for name, one in google_secret_manager_secret.these : one.secret_id == "dev-${name}"],
      [for one in google_service_account.functions : startswith(one.account_id, "dev-") && length(one.account_id) <= 30],
      [for one in google_service_account.callers : startswith(one.account_id, "dev-")],
      [for one in google_logging_metric.these : startswith(one.name, "dev_") && strcontains(one.filter, "dev-receive-webhook")],
      [for one in google_monitoring_alert_policy.these : startswith(one.display_name, "Baton dev:")],
      [for one in google_cloud_scheduler_job.these : startswith(one.name, "dev-")],
    ]))
    error_message = "With a prefix nothing has the name of the Baton without one."
  }
  assert {
    condition = (
      google_firestore_database.baton.name == "baton-dev" && google_storage_bucket.sources.name == "baton-test-dev-sources" &&
      google_artifact_registry_repository.baton.repository_id == "dev" &&
      google_monitoring_custom_service.baton.service_id == "dev" && alltrue([for one in google_monitoring_slo.these : startswith(one.display_name, "Baton dev:")]) &&
      strcontains(google_monitoring_slo.these["delivery"].request_based_sli[0].distribution_cut[0].distribution_filter, "user/dev_delivery_delay") &&
      strcontains(google_monitoring_alert_policy.these["sweep_stopped"].conditions[0].condition_absent[0].filter, "\"dev-sweep\"") &&
      alltrue([for name, one in google_monitoring_uptime_check_config.these : one.display_name == "Baton dev: ${name}" && startswith(one.http_check[0].path, "/dev_${name}/")]) &&
      !can(regex("baton-(outbox|[a-z-]*-dead\\b)", jsonencode(google_monitoring_alert_policy.these))) && !strcontains(google_monitoring_dashboard.baton.dashboard_json, "baton_")
    )
    error_message = "Database, bucket, repository, alarms and dashboard are its own."
  }
  assert {
    condition = alltrue([for one in google_cloudfunctions2_function.these :
      one.service_config[0].environment_variables["BATON_PREFIX"] == "dev" && one.service_config[0].environment_variables["BATON_DATABASE"] == "baton-dev"
    ]) && alltrue([for one in google_cloudfunctions2_function.these["send_representative"].service_config[0].secret_environment_variables : one.key == "BATON_API_KEYS" && one.secret == "dev-BATON_API_KEYS"])
    error_message = "The functions know their topics, their database and their secrets."
  }
}

run "files_are_kept" {
  variables {
    secrets  = ["BATON_API_KEYS", "CSKU_WEBHOOK_SECRETS", "MEDIA_LINK_KEYS"]
    settings = { UNCLAIMED_AFTER = "60", BUSINESS_MESSAGES_API_URL = "https://example.com", MEDIA_BUCKET = "baton-test-files", JOURNAL_TTL_DAYS = "60" }
    kms_key  = "projects/baton-keys/locations/europe-west1/keyRings/care/cryptoKeys/baton"
    labels   = { team = "care" }
  }

  assert {
    condition     = alltrue([for name, one in google_cloudfunctions2_function.these : try(one.service_config[0].environment_variables["MEDIA_URL"], "") == (contains(local.functions[name].settings, "MEDIA_URL") ? "https://europe-west1-baton-test.cloudfunctions.net/relay_media" : "")])
    error_message = "Who makes links knows where they lead."
  }
  assert {
    condition     = one(google_storage_bucket.media["baton-test-files"].lifecycle_rule[0].condition).age == 60 && google_storage_bucket.media["baton-test-files"].soft_delete_policy[0].retention_duration_seconds == 0
    error_message = "Files are kept as long as the journal, and what is erased is gone at once."
  }
}

# After all that deploy.py is compared with: what it sets and Google may set as well stays in the state.
run "own_key_and_network" {
  variables {
    kms_key       = "projects/baton-keys/locations/europe-west1/keyRings/care/cryptoKeys/baton"
    vpc_connector = "projects/baton-keys/locations/europe-west1/connectors/care"
    egress        = "all"
    ingress       = "internal-and-gclb"
    labels        = { team = "care", env = "prod" }
  }

  assert {
    condition     = length(google_monitoring_uptime_check_config.these) == 0
    error_message = "Google's uptime checks do not reach a function that the internet does not."
  }
}

# BigQuery comes to a Baton that was made without it.
run "who_is_mailed_what_it_may_cost_and_what_is_written" {
  variables {
    max_instances     = 3
    bigquery          = true
    reports_time_zone = "Asia/Jakarta"
  }
  assert {
    condition     = google_monitoring_alert_policy.these["sweep_stopped"].documentation[0].links[0].url == "https://git.example.com/baton/infra/RUNBOOK.md#baton-the-sweep-fails-or-is-paused"
    error_message = "An alarm links to its paragraph of the runbook."
  }
  assert {
    condition     = alltrue([for one in google_monitoring_alert_policy.these : one.notification_channels == tolist([google_monitoring_notification_channel.email[0].name])])
    error_message = "Every alarm mails the address that was given."
  }
  assert {
    condition     = alltrue([for one in google_cloudfunctions2_function.these : one.service_config[0].max_instance_count <= 3])
    error_message = "No function grows beyond max_instances."
  }
  assert {
    condition     = google_cloudfunctions2_function.these["receive_webhook"].service_config[0].min_instance_count == 1 && alltrue([for name, one in google_cloudfunctions2_function.these : one.service_config[0].min_instance_count == 0 if name != "receive_webhook"])
    error_message = "Only the webhook keeps an instance warm."
  }

  # The handoff topic is written

  assert {
    condition = (
      google_pubsub_subscription.bigquery["baton"].topic == google_pubsub_topic.these["baton-handoffs"].id &&
      google_pubsub_subscription.bigquery["baton"].bigquery_config[0].table == "baton-test.baton.handoffs" &&
      google_pubsub_subscription.bigquery["baton"].bigquery_config[0].use_table_schema &&
      google_pubsub_subscription.bigquery["baton"].bigquery_config[0].drop_unknown_fields &&
      length(google_pubsub_subscription.bigquery["baton"].dead_letter_policy) == 1
    )
    error_message = "Pub/Sub writes baton-handoffs into the table, and no field that it has no column for."
  }
  assert {
    condition     = strcontains(google_monitoring_alert_policy.these["oldest_message"].conditions[0].condition_threshold[0].filter, "|${google_pubsub_subscription.bigquery["baton"].name}\"")
    error_message = "The age of this subscription is watched too."
  }
  assert {
    condition = (
      google_bigquery_dataset_iam_member.pubsub["baton"].role == "roles/bigquery.dataEditor" &&
      google_bigquery_dataset_iam_member.pubsub["baton"].member == local.pubsub_agent
    )
    error_message = "Pub/Sub's service agent may write there."
  }
  assert {
    condition     = toset([for one in jsondecode(google_bigquery_table.handoffs["baton"].schema) : one.name]) == toset(["id", "type", "time", "measures"])
    error_message = "The table has columns for what was measured, and none for a customer."
  }
  assert {
    condition     = google_bigquery_table.handoffs["baton"].time_partitioning[0].expiration_ms == 34560000000 && google_bigquery_table.handoffs["baton"].deletion_protection
    error_message = "Rows expire, the table does not."
  }
  assert {
    condition     = toset([for one in google_bigquery_table.reports : one.table_id]) == toset([for by in ["total", "channel", "day", "hour", "desk", "agent", "kind", "length", "reason"] : "handoffs_by_${by}"])
    error_message = "There is a view for each way to break a report down."
  }
  assert {
    condition = alltrue([for name, one in google_bigquery_table.reports :
    !strcontains(one.view[0].query, "$${") && strcontains(one.view[0].query, "`baton-test.baton.measures`") && !one.view[0].use_legacy_sql])
    error_message = "Every view is filled in and reads the measures."
  }
  assert {
    condition     = strcontains(google_bigquery_table.reports["hour"].view[0].query, "DATETIME(started_at, 'Asia/Jakarta')")
    error_message = "Hours are those of the time zone that was asked for."
  }
  assert {
    condition = alltrue([for name, one in google_cloudfunctions2_function.these :
    (lookup(one.service_config[0].environment_variables, "REPORTS_STREAM", "off") == "on") == contains(local.functions[name].settings, "REPORTS_STREAM")])
    error_message = "Who counts also publishes what it counted."
  }
}
