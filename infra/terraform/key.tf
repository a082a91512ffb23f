# With a key of your own, the service agents that encrypt with it get the right to use it.

locals {
  # Who encrypts -> the domain of its service agent. https://cloud.google.com/functions/docs/securing/cmek
  encrypters = var.kms_key == null ? {} : {
    artifactregistry = "gcp-sa-artifactregistry"
    cloudfunctions   = "gcf-admin-robot"
    firestore        = "gcp-sa-firestore"
    pubsub           = "gcp-sa-pubsub"
    run              = "serverless-robot-prod"
    secretmanager    = "gcp-sa-secretmanager"
    storage          = "gs-project-accounts"
  }
}

# A service agent cannot be given a right before it was made. Without gcloud it must be there already.
resource "terraform_data" "encrypters" {
  for_each = local.encrypters

  input = "serviceAccount:service-${data.google_project.baton.number}@${each.value}.iam.gserviceaccount.com"

  provisioner "local-exec" {
    command = var.gcloud == null ? "true" : join(" ", [
      var.gcloud, each.key == "storage" ? "storage service-agent" : "beta services identity create --service=${each.key}.googleapis.com",
      "--project=${var.project_id} --quiet",
    ])
  }
}

resource "google_kms_crypto_key_iam_member" "encrypters" {
  for_each = local.encrypters

  crypto_key_id = var.kms_key
  role          = "roles/cloudkms.cryptoKeyEncrypterDecrypter"
  member        = terraform_data.encrypters[each.key].output
}

resource "terraform_data" "key_may_be_used" {
  triggers_replace = sort([for right in google_kms_crypto_key_iam_member.encrypters : right.id])

  provisioner "local-exec" {
    command = "sleep ${var.kms_key == null ? 0 : var.wait_seconds}"
  }
}
