"""`python -m infra.deploy.setting_rules` writes terraform/settings.json, by which terraform checks
plain settings as the code does.

Terraform cannot ask the model. So what it can check (numbers and their limits, words to choose
from, forms, the keys of a desk) is derived from the model; a test compares the file with the model.
"""

import argparse
import json
from typing import Any

from infra.command import run_tool
from infra.deployables import ROOT, deployables, settings
from shared.bootstrap.platforms import platforms
from shared.bootstrap.policy import SWITCHES
from shared.platforms.ccai.names import NOW_OFFICIAL
from shared.schemas.desk_kinds import DESK_KINDS
from shared.settings.model import Settings
from shared.settings.types import (
    AGENT,
    BUCKET,
    CLIENT_ID,
    DOMAIN,
    EXACT_ORIGIN,
    HOST,
    PHONE_NUMBER_ID,
    TEMPLATE,
)

FILE = ROOT / "infra" / "terraform" / "settings.json"
URL = "^https?://[^/?#]+"
FORMS = {
    "BATON_SIGN_IN_CLIENT_ID": CLIENT_ID.pattern,
    "BATON_SIGN_IN_DOMAINS": DOMAIN.pattern,
    "BRIDGE_ALLOWED_ORIGINS": EXACT_ORIGIN.pattern,
    "CSKU_MEDIA_HOSTS": HOST.pattern,
    "DIALOGFLOW_AGENT": AGENT.pattern,
    "MEDIA_BUCKET": BUCKET.pattern,
    "WHATSAPP_REOPEN_TEMPLATE": TEMPLATE.pattern,
    "WHATSAPP_NUMBERS": PHONE_NUMBER_ID.pattern,
}
OR_NONE = ("UNVERIFIED_FACTS", "CCAI_UNOFFICIAL")
SPELLINGS = ["true", "false", "1", "0", "on", "off", "yes", "no", "t", "f", "y", "n"]
Rule = dict[str, Any]


def rules() -> dict[str, Rule]:
    """Returns for each plain setting of the functions what its value must be like."""
    schema = Settings.model_json_schema()
    return {name: _rule(name, schema) for name in settings(deployables())}


def _rule(name: str, schema: dict[str, Any]) -> Rule:
    field = schema["properties"][name.lower()]
    kind = _kind(field, schema)
    if name.lower() in SWITCHES:
        return {"list_of": list(platforms(Settings()))}
    if name in FORMS:
        whole = f"^({FORMS[name]})$"
        return {"list_form" if kind.get("type") == "array" else "form": whole}
    if name.endswith("_URL"):
        return {"form": URL}
    if kind["type"] == "boolean":
        return {"one_of": SPELLINGS}
    if kind["type"] in ("number", "integer"):
        limits = {"above": "exclusiveMinimum", "least": "minimum", "most": "maximum"}
        given = {ours: kind[theirs] for ours, theirs in limits.items() if theirs in kind}
        return {"number": kind["type"], **given}
    if "enum" in kind:
        return {"one_of": [one for one in kind["enum"] if one]}
    if kind["type"] == "object":
        return {"object": True}
    return _list_rule(name, kind, schema) if kind["type"] == "array" else {}


def _list_rule(name: str, kind: Rule, schema: dict[str, Any]) -> Rule:
    """Returns the rule of a list: of words to choose from, of objects as JSON, or of any words."""
    item = _kind(kind["items"], schema)
    if item["type"] == "object":
        keys = sorted(item["properties"])
        return {"keys": keys, "kinds": list(DESK_KINDS), "required": item["required"]}
    words = [item["const"]] if "const" in item else item.get("enum")
    if words:
        also = NOW_OFFICIAL if name == "CCAI_UNOFFICIAL" else ()
        return {"list_of": [*words, *also], "or": ["none"] if name in OR_NONE else []}
    return {}


def _kind(field: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    """Returns the schema of a given value: without null, and with its reference resolved."""
    given = next((one for one in field.get("anyOf", []) if one.get("type") != "null"), field)
    if "$ref" in given:
        return {**field, **schema["$defs"][given["$ref"].rpartition("/")[2]]}
    return {**field, **given}


def text() -> str:
    """Returns the file."""
    lines = [f"  {json.dumps(name)}: {json.dumps(rule)}" for name, rule in rules().items()]
    return "{\n" + ",\n".join(lines) + "\n}\n"


def main(given: list[str] | None = None) -> int:
    what = "Write what terraform checks of plain settings."
    parser = argparse.ArgumentParser(prog="python -m infra.deploy.setting_rules", description=what)
    parser.parse_args(given)
    FILE.write_text(text())
    print(f"wrote {FILE.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    run_tool(main)
