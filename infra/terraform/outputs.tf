output "webhook_urls" {
  description = "Paste each into its platform."
  value = merge([for name, row in local.public : {
    for path in row.paths : path => "${google_cloudfunctions2_function.these[name].url}/${path}"
  }]...)

  # An address is worth nothing before it may be called.
  depends_on = [terraform_data.public, google_cloud_run_v2_service_iam_member.public]
}

output "missing_secrets" {
  description = "Secrets without a value, of the platforms in use and of the API: `gcloud secrets versions add NAME --data-file=-`, then name them in var.secrets. The platforms' pages say which are optional."
  value = sort([for secret in setsubtract(local.secrets, var.secrets) : secret
  if secret == "BATON_API_KEYS" || anytrue([for path in local.platforms : startswith(secret, "${upper(path)}_") && secret != "${upper(path)}_WEBHOOK_URL"])])
}

output "service_accounts" {
  description = "Who each function is, for rights outside this project."
  value       = { for name, account in google_service_account.functions : name => account.email }
}
