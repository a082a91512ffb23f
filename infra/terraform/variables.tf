variable "project_id" {
  description = "The project that Baton lives in. With a prefix it holds more than one."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{4,28}[a-z0-9]$", var.project_id))
    error_message = "Give the project's id (like my-project-123), not its name or number: 6 to 30 lower-case letters, digits and hyphens."
  }
}

variable "region" {
  description = "Where the functions run."
  type        = string

  validation {
    condition     = can(regex("^[a-z]+-[a-z]+[0-9]+$", var.region))
    error_message = "Give a region (like europe-west1), not a zone (europe-west1-b) or a multi-region (eu)."
  }
}

variable "prefix" {
  description = "What names begin with, for a second Baton in the project, like dev. Its functions are then dev_receive_webhook and so on, its secrets dev-BATON_API_KEYS and so on."
  type        = string
  default     = "baton"

  validation {
    condition     = can(regex("^[a-z][a-z0-9]{1,9}$", var.prefix))
    error_message = "Give 2 to 10 lower-case letters and digits, a letter first: names have a limit."
  }
}

variable "database" {
  description = "The Firestore database. Default: (default), with a prefix baton-PREFIX."
  type        = string
  default     = null

  validation {
    condition     = var.database == null || can(regex("^(\\(default\\)|[a-z][a-z0-9-]{2,61}[a-z0-9])$", var.database))
    error_message = "Give (default), or 4 to 63 lower-case letters, digits and hyphens, a letter first."
  }
}

variable "firestore_location" {
  description = "Where the database lies, for good: a region, or the multi-regions eur3 or nam5. Default: the functions' region."
  type        = string
  default     = null

  validation {
    condition     = var.firestore_location == null || can(regex("^([a-z]+-[a-z]+[0-9]+|eur3|nam5)$", var.firestore_location))
    error_message = "Give a region (like europe-west1), eur3 or nam5."
  }
}

variable "secrets" {
  description = "The secrets that have a value by now (a version in Secret Manager); only these are given to the functions. A door whose secret is missing answers 503."
  type        = set(string)
  default     = []

  validation {
    condition     = length(setsubtract(var.secrets, local.secrets)) == 0
    error_message = "Unknown: ${join(", ", setsubtract(var.secrets, local.secrets))}. No function reads a secret of that name; functions.json lists them: ${join(", ", local.secrets)}."
  }
}

variable "rotated" {
  description = "Any new text, like a date, makes every function read its secrets again: an instance reads them when it starts."
  type        = string
  default     = null
}

variable "settings" {
  description = "Plain settings of README's table that differ from their defaults, like {UNCLAIMED_AFTER = \"60\"}."
  type        = map(string)
  default     = {}

  validation {
    condition     = length(setsubtract(keys(var.settings), local.settings)) == 0
    error_message = "Unknown: ${join(", ", setsubtract(keys(var.settings), local.settings))}. A secret belongs into Secret Manager, not here; the functions read these settings: ${join(", ", local.settings)}."
  }

  # The rules are derived from the checks that a function makes at its start: python -m infra.deploy.setting_rules
  validation {
    condition = alltrue([for name, rule in local.rules.number : !contains(keys(var.settings), name) || try(
      tonumber(var.settings[name]) > try(rule.above, -1) && tonumber(var.settings[name]) >= try(rule.least, 0) && tonumber(var.settings[name]) <= try(rule.most, tonumber(var.settings[name])) &&
      (rule.number == "number" || floor(tonumber(var.settings[name])) == tonumber(var.settings[name])),
    false)])
    error_message = "Give numbers within these limits: ${join("; ", [for name, rule in local.rules.number : "${name} ${jsonencode(rule)}" if contains(keys(var.settings), name)])}."
  }

  validation {
    condition = alltrue([for name, rule in local.rules.one_of : !contains(keys(var.settings), name) || try(
      contains(rule.one_of, var.settings[name]) || contains(rule.one_of, lower(var.settings[name])),
    false)])
    error_message = "Give one of the words that the setting accepts: ${join("; ", [for name, rule in local.rules.one_of : "${name} ${jsonencode(rule)}" if contains(keys(var.settings), name)])}."
  }

  validation {
    condition = alltrue([for name, rule in local.rules.list_of : !contains(keys(var.settings), name) || try(
      length(setsubtract([for one in compact(split(",", var.settings[name])) : trimspace(one)], rule.list_of)) == 0 || contains(try(rule.or, []), var.settings[name]),
    false)])
    error_message = "Give only words that the setting accepts, with commas between: ${join("; ", [for name, rule in local.rules.list_of : "${name} ${jsonencode(rule)}" if contains(keys(var.settings), name)])}."
  }

  validation {
    condition = alltrue([for name, rule in local.rules.form : !contains(keys(var.settings), name) || try(
      can(regex(rule.form, var.settings[name])),
    false)])
    error_message = "Give values of these forms: ${join("; ", [for name, rule in local.rules.form : "${name} ${jsonencode(rule)}" if contains(keys(var.settings), name)])}."
  }

  validation {
    condition = alltrue([for name, rule in local.rules.list_form : !contains(keys(var.settings), name) || try(
      alltrue([for one in [for one in compact(split(",", var.settings[name])) : trimspace(one)] : can(regex(rule.list_form, one))]),
    false)])
    error_message = "Give lists, with commas between, of values of these forms: ${join("; ", [for name, rule in local.rules.list_form : "${name} ${jsonencode(rule)}" if contains(keys(var.settings), name)])}."
  }

  validation {
    condition = alltrue([for name, rule in local.rules.object : !contains(keys(var.settings), name) || try(
      can(keys(jsondecode(var.settings[name]))),
    false)])
    error_message = "Give JSON objects: ${join("; ", [for name, rule in local.rules.object : "${name} ${jsonencode(rule)}" if contains(keys(var.settings), name)])}."
  }

  validation {
    condition = alltrue([for name, rule in local.rules.keys : !contains(keys(var.settings), name) || try(
      startswith(trimspace(var.settings[name]), "[") && alltrue([for one in jsondecode(var.settings[name]) :
      length(setsubtract(keys(one), rule.keys)) + length(setsubtract(rule.required, keys(one))) == 0 && contains(rule.kinds, try(one.kind, rule.kinds[0]))]),
    false)])
    error_message = "Give JSON lists of objects with these keys: ${join("; ", [for name, rule in local.rules.keys : "${name} ${jsonencode(rule)}" if contains(keys(var.settings), name)])}."
  }
}

# What an organisation may ask of what runs in its project.

variable "kms_key" {
  description = "Your own key, of the functions' region, that encrypts what is stored: database, topics, secrets, sources, images. For a new deployment: most of these keep the key that they were made with."
  type        = string
  default     = null

  validation {
    condition     = var.kms_key == null || can(regex("^projects/[a-z0-9.:-]+/locations/[a-z0-9-]+/keyRings/[A-Za-z0-9_-]{1,63}/cryptoKeys/[A-Za-z0-9_-]{1,63}$", var.kms_key))
    error_message = "Give its whole name: projects/PROJECT/locations/REGION/keyRings/RING/cryptoKeys/KEY."
  }

  validation {
    condition = var.kms_key == null || alltrue([for place in [var.region, coalesce(var.firestore_location, var.region)] :
    strcontains(coalesce(var.kms_key, "-"), "/locations/${place}/")])
    error_message = "The key lies elsewhere than region or firestore_location."
  }
}

variable "vpc_connector" {
  description = "The connector to your network, of the functions' region: projects/PROJECT/locations/REGION/connectors/CONNECTOR."
  type        = string
  default     = null

  validation {
    condition     = var.vpc_connector == null || can(regex("^projects/[a-z0-9.:-]+/locations/${var.region}/connectors/[A-Za-z0-9_-]{1,63}$", var.vpc_connector))
    error_message = "Give the whole name of a connector in the functions' region: projects/PROJECT/locations/REGION/connectors/CONNECTOR."
  }
}

variable "egress" {
  description = "Which calls of the functions go through the connector: private-ranges-only or all."
  type        = string
  default     = "private-ranges-only"

  validation {
    condition     = contains(["private-ranges-only", "all"], var.egress) && (var.egress != "all" || var.vpc_connector != null)
    error_message = "Give private-ranges-only or, with a vpc_connector, all."
  }
}

variable "ingress" {
  description = "From where the public functions are reached: all, or internal-and-gclb (your network and a load balancer of yours)."
  type        = string
  default     = "all"

  validation {
    condition     = contains(["all", "internal-and-gclb"], var.ingress)
    error_message = "Give all or internal-and-gclb."
  }
}

variable "labels" {
  description = "Labels of functions, topics, secrets, bucket and repository, like {team = \"care\"}."
  type        = map(string)
  default     = {}

  validation {
    condition     = alltrue([for name, text in var.labels : can(regex("^[a-z][a-z0-9_-]{0,62}$", name)) && can(regex("^[a-z0-9_-]{0,63}$", text))])
    error_message = "Give names and values of lower-case letters, digits, _ and -, like {team = \"care\"}."
  }
}

variable "max_instances" {
  description = "No function grows beyond this many instances, whatever functions.json allows it: the ceiling of what Baton can cost."
  type        = number
  default     = 100

  validation {
    condition     = var.max_instances >= 1 && var.max_instances <= 1000 && floor(var.max_instances) == var.max_instances
    error_message = "Give a whole number from 1 to 1000."
  }
}

variable "wait_seconds" {
  description = "How long the first build waits until the rights of its account hold everywhere. The first alarms wait ten times as long for their metrics."
  type        = number
  default     = 60

  validation {
    condition     = var.wait_seconds >= 0 && var.wait_seconds <= 600 && floor(var.wait_seconds) == var.wait_seconds
    error_message = "Give a whole number of seconds from 0 to 600."
  }
}

variable "gcloud" {
  description = "The gcloud command, for what the provider cannot do: it makes Pub/Sub's service agent and opens the public functions. Null where terraform runs without gcloud; then allUsers opens them."
  type        = string
  default     = "gcloud"

  validation {
    condition     = var.gcloud == null || can(regex("^[A-Za-z0-9_./-]+$", var.gcloud))
    error_message = "Give the command's name or path, without options, or null."
  }
}

variable "alert_email" {
  description = "Who is mailed when something needs a person. Without it the alerts show in Cloud Monitoring only."
  type        = string
  default     = null

  validation {
    condition     = var.alert_email == null || can(regex("^[^@ ]+@[^@ ]+\\.[^@ ]+$", var.alert_email))
    error_message = "Give one address, like oncall@example.com."
  }
}

variable "runbook" {
  description = "Where people read your copy of infra/RUNBOOK.md. Each alarm links to its paragraph there."
  type        = string
  default     = null

  validation {
    condition     = var.runbook == null || can(regex("^https://[^ #]+$", var.runbook))
    error_message = "Give an address that begins with https://, without #."
  }
}

variable "bigquery" {
  description = "Write what Baton measures into BigQuery too (dataset baton), with the reports as views."
  type        = bool
  default     = false
}

variable "bigquery_days" {
  description = "How many days the rows are kept in BigQuery."
  type        = number
  default     = 400

  validation {
    condition     = var.bigquery_days >= 8 && floor(var.bigquery_days) == var.bigquery_days
    error_message = "Give a whole number of days, at least 8."
  }
}

variable "reports_time_zone" {
  description = "Whose days and hours the views in BigQuery count by, like Asia/Jakarta."
  type        = string
  default     = "UTC"

  validation {
    condition     = can(regex("^[A-Za-z]+(/[A-Za-z0-9_+-]+)*$", var.reports_time_zone))
    error_message = "Give a name of the IANA database, like Asia/Jakarta."
  }
}

variable "sources" {
  description = "The zip of each function. `python -m infra.stage` builds them and writes sources.auto.tfvars.json, which terraform reads by itself."
  type        = map(string)
  default     = {}

  validation {
    condition     = length(setsubtract(keys(local.functions), keys(var.sources))) == 0
    error_message = "Not staged: ${join(", ", setsubtract(keys(local.functions), keys(var.sources)))}. Run `python -m infra.stage` in the project's folder first."
  }
}
