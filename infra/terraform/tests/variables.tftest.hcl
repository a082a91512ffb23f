# What cannot work is refused before anything is made. tests/variables holds nothing but the variables and the
# tables: a plan of the whole takes a second of processor time.

mock_provider "google" {}

variables {
  project_id   = "baton-test"
  region       = "europe-west1"
  wait_seconds = 0
  gcloud       = "true"
  sources      = { for name, _ in jsondecode(file("functions.json")) : name => "../../build/${name}-0123456789abcdef.zip" }
}

run "everything_is_wrong" {
  command = plan

  variables {
    project_id         = "123456789012"
    region             = "europe-west1-b"
    firestore_location = "eu"
    secrets            = ["BATON_API_KEY"]
    settings           = { UNCLAIMED = "60" }
    max_instances      = 0
    alert_email        = "oncall"
    runbook            = "RUNBOOK.md"
    ingress            = "internal"
    labels             = { Team = "care" }
    sources            = {}
  }

  expect_failures = [
    var.project_id, var.region, var.firestore_location, var.secrets, var.settings, var.max_instances, var.alert_email,
    var.sources, var.runbook, var.ingress, var.labels,
  ]
}

run "a_key_and_a_connector_of_another_region" {
  command = plan

  module {
    source = "./tests/variables"
  }

  variables {
    kms_key       = "projects/p/locations/europe-west3/keyRings/r/cryptoKeys/k"
    vpc_connector = "projects/p/locations/europe-west3/connectors/c"
  }

  expect_failures = [var.kms_key, var.vpc_connector]
}

run "a_key_that_the_database_cannot_use" {
  command = plan

  module {
    source = "./tests/variables"
  }

  variables {
    kms_key            = "projects/p/locations/europe-west1/keyRings/r/cryptoKeys/k"
    firestore_location = "eur3"
  }

  expect_failures = [var.kms_key]
}

run "a_key_without_its_whole_name_and_all_calls_through_no_connector" {
  command = plan

  module {
    source = "./tests/variables"
  }

  variables {
    kms_key = "care"
    egress  = "all"
  }

  expect_failures = [var.kms_key, var.egress]
}

run "a_secret_among_the_settings" {
  command = plan

  module {
    source = "./tests/variables"
  }

  variables {
    settings = { BATON_API_KEYS = "{}" }
  }

  expect_failures = [var.settings]
}

run "a_word_instead_of_a_number" {
  command = plan

  module {
    source = "./tests/variables"
  }

  variables {
    settings = { UNCLAIMED_AFTER = "abc" }
  }

  expect_failures = [var.settings]
}

run "a_number_beyond_its_limit" {
  command = plan

  module {
    source = "./tests/variables"
  }

  variables {
    settings = { DIALOGFLOW_TIMEOUT = "41" }
  }

  expect_failures = [var.settings]
}

run "a_fraction_instead_of_a_whole_number" {
  command = plan

  module {
    source = "./tests/variables"
  }

  variables {
    settings = { UNCLAIMED_REMINDERS = "1.5" }
  }

  expect_failures = [var.settings]
}

run "a_word_that_the_setting_does_not_accept" {
  command = plan

  module {
    source = "./tests/variables"
  }

  variables {
    settings = { BATON_BOT = "oracle" }
  }

  expect_failures = [var.settings]
}

run "an_unknown_channel" {
  command = plan

  module {
    source = "./tests/variables"
  }

  variables {
    settings = { NOTICES_OFF = "rcs, facebook" }
  }

  expect_failures = [var.settings]
}

run "an_address_without_a_scheme" {
  command = plan

  module {
    source = "./tests/variables"
  }

  variables {
    settings = { CCAI_API_URL = "tenant.example.com" }
  }

  expect_failures = [var.settings]
}

run "an_origin_with_a_path" {
  command = plan

  module {
    source = "./tests/variables"
  }

  variables {
    settings = { BRIDGE_ALLOWED_ORIGINS = "https://crm.example.com, https://crm.example.com/x" }
  }

  expect_failures = [var.settings]
}

run "desks_that_are_not_json" {
  command = plan

  module {
    source = "./tests/variables"
  }

  variables {
    settings = { BATON_DESKS = "ccai" }
  }

  expect_failures = [var.settings]
}

run "a_desk_of_an_unknown_kind" {
  command = plan

  module {
    source = "./tests/variables"
  }

  variables {
    settings = { BATON_DESKS = "[{\"name\": \"x\", \"kind\": \"nope\"}]" }
  }

  expect_failures = [var.settings]
}

run "a_desk_without_a_name" {
  command = plan

  module {
    source = "./tests/variables"
  }

  variables {
    settings = { BATON_DESKS = "[{\"kind\": \"api\"}]" }
  }

  expect_failures = [var.settings]
}

run "notices_that_are_not_an_object" {
  command = plan

  module {
    source = "./tests/variables"
  }

  variables {
    settings = { BATON_NOTICES = "[]" }
  }

  expect_failures = [var.settings]
}
