# What cannot work is refused before anything is made.

mock_provider "google" {}

variables {
  project_id = "baton-test"
  region     = "europe-west1"
  sources    = { for name, _ in jsondecode(file("functions.json")) : name => "../../build/${name}-0123456789abcdef.zip" }
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
    sources            = {}
  }

  expect_failures = [
    var.project_id, var.region, var.firestore_location, var.secrets, var.settings, var.max_instances, var.alert_email,
    var.sources,
  ]
}

run "a_secret_among_the_settings" {
  command = plan

  variables {
    settings = { BATON_API_KEYS = "{}" }
  }

  expect_failures = [var.settings]
}
