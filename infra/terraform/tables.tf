# What the JSON tables say. deploy.py reads the same files, so both make the same deployment.

locals {
  functions     = jsondecode(file("${path.module}/functions.json"))
  firestore     = jsondecode(file("${path.module}/firestore.json"))
  observability = jsondecode(file("${path.module}/observability.json"))

  # What a plain setting must be like, by the kind of its rule.
  rules = { for kind in ["number", "one_of", "list_of", "form", "list_form", "object", "keys"] : kind => {
    for name, rule in jsondecode(file("${path.module}/settings.json")) : name => rule if can(rule[kind])
  } }

  copied_sources = "projects/_/buckets/gcf-v2-sources-${data.google_project.baton.number}-${var.region}"

  secrets  = toset(flatten([for row in local.functions : row.secrets]))
  settings = toset(flatten([for row in local.functions : row.settings]))
  topics   = toset(flatten([for row in local.functions : concat(row.publishes, compact([try(row.topic, "")]))]))

  public    = { for name, row in local.functions : name => row if row.trigger == "http-public" }
  pushed    = { for name, row in local.functions : name => row if row.trigger == "pubsub" }
  scheduled = { for name, row in local.functions : name => row if row.trigger == "schedule" }

  services        = join("|", sort([for name, _ in local.functions : replace(name, "_", "-")]))
  public_services = join("|", sort([for name, _ in local.public : replace(name, "_", "-")]))

  # Platforms in use, as infra/uses.py finds them: a secret has a value, or a desk is of that kind.
  desks = try([for desk in jsondecode(var.settings["BATON_DESKS"]) : try(desk.kind, "api")], [])
  platforms = [for path in local.functions["receive_webhook"].paths : path if contains(local.desks, path) ||
  anytrue([for secret in var.secrets : startswith(secret, "${upper(path)}_")])]

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
