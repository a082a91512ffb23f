# What the JSON tables say. deploy.py reads the same files, so both make the same deployment.
# Nothing here reads a resource: tests/variables checks the variables with this file and no provider.

locals {
  # The names of this Baton: the tables have those of a Baton that is alone in its project.
  alone    = var.prefix == "baton"
  title    = local.alone ? "Baton" : "Baton ${var.prefix}"
  database = coalesce(var.database, local.alone ? "(default)" : "baton-${var.prefix}")
  renamed = { for name in ["functions", "observability"] : name =>
    replace(replace(file("${path.module}/${name}.json"), "/\\bbaton([-_])/", "${var.prefix}$1"), "/\\bBaton:/", "${local.title}:")
  }
  names        = { for name, _ in local.functions : name => local.alone ? name : "${var.prefix}_${name}" }
  secret_names = { for name in local.secrets : name => local.alone ? name : "${var.prefix}-${name}" }

  functions     = jsondecode(local.renamed["functions"])
  firestore     = jsondecode(file("${path.module}/firestore.json"))
  observability = jsondecode(local.renamed["observability"])

  # Alarms, objectives and uptime checks with this deployment's names.
  host          = "${var.region}-${var.project_id}.cloudfunctions.net"
  subscriptions = join("|", sort(compact([for row in local.functions : try(row.topic, "")])))
  watched_with = {
    accepting_services = local.accepting_services
    subscriptions      = var.bigquery ? "${local.subscriptions}|${var.prefix}-handoffs-bigquery" : local.subscriptions
    host               = local.host
    sweep              = replace(local.names["sweep"], "_", "-")
    slo                = "projects/${var.project_id}/services/${var.prefix}/serviceLevelObjectives/"
  }
  watching = jsondecode(replace(replace(replace(replace(replace(local.renamed["observability"],
    "{accepting_services}", local.watched_with.accepting_services), "{subscriptions}", local.watched_with.subscriptions),
  "{host}", local.watched_with.host), "{slo}", local.watched_with.slo), "{sweep}", local.watched_with.sweep))

  # What a plain setting must be like, by the kind of its rule.
  rules = { for kind in ["number", "one_of", "list_of", "form", "list_form", "object", "keys"] : kind => {
    for name, rule in jsondecode(file("${path.module}/settings.json")) : name => rule if can(rule[kind])
  } }

  secrets  = toset(flatten([for row in local.functions : row.secrets]))
  settings = toset(flatten([for row in local.functions : row.settings]))
  topics   = toset(flatten([for row in local.functions : concat(row.publishes, compact([try(row.topic, "")]))]))

  public    = { for name, row in local.functions : name => row if row.trigger == "http-public" }
  pushed    = { for name, row in local.functions : name => row if row.trigger == "pubsub" }
  scheduled = { for name, row in local.functions : name => row if row.trigger == "schedule" }

  services = join("|", sort([for name, _ in local.functions : replace(local.names[name], "_", "-")]))
  # relay_media accepts nothing: its 5xx are those of a platform that does not hand out a file.
  accepting_services = join("|", sort([for name, row in local.public : replace(local.names[name], "_", "-") if length(row.publishes) > 0]))

  # Platforms in use, as infra/uses.py finds them: a secret has a value, or a desk is of that kind.
  # The team's notifications go to Google Chat and Slack without a desk there.
  desks = try([for desk in jsondecode(var.settings["BATON_DESKS"]) : try(desk.kind, "api")], [])
  platforms = [for path in local.functions["receive_webhook"].paths : path if contains(local.desks, path) ||
  anytrue([for secret in var.secrets : startswith(secret, "${upper(path)}_") && secret != "${upper(path)}_WEBHOOK_URL"])]

  # One entry for each right that one function has.
  roles = merge([for name, row in local.functions : {
    for role in row.roles : "${name} ${role}" => { function = name, role = role }
  }]...)
  publishers = merge([for name, row in local.functions : {
    for topic in row.publishes : "${name} ${topic}" => { function = name, topic = topic }
  }]...)
  readers = merge([for name, row in local.functions : {
    for secret in row.secrets : "${name} ${secret}" => { function = name, secret = secret }
  }]...)

  indexes = { for index in local.firestore.indexes :
    join(" ", concat([index.collection, index.scope], index.fields)) => index
  }
  fields = merge([for collection, fields in local.firestore.fields : {
    for field, indexes in fields : "${collection} ${field}" => { collection = collection, field = field, indexes = indexes }
  }]...)
}
