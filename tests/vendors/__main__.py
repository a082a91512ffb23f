"""Makes the schemas in this folder again, from the packages that README.md names.

It needs node, npm and pip, and their registries, and takes some minutes. Nothing is typed by hand:
the types of the packages become schemas, and words for readers are left out.

    python -m tests.vendors
"""

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent
WHATSAPP, GENERATOR = "whatsapp-api-js@6.3.0", "typescript-json-schema@0.68.0"
RCS = "telnyx==4.189.0"
# For readers, not for a judge. `title` is also the name of a field, whose value is an object.
WORDS = ("description", "title", "deprecated", "$schema")
COMPILER = {
    "compilerOptions": {
        "module": "nodenext",
        "moduleResolution": "nodenext",
        "target": "es2022",
        "lib": ["es2022", "dom"],
        "strict": True,
        "skipLibCheck": True,
    },
    "include": ["whatsapp.ts"],
}
OF_PYDANTIC = """
import json
from pydantic import TypeAdapter
from telnyx.types.rcs_agent_message_param import RcsAgentMessageParam
print(json.dumps(TypeAdapter(RcsAgentMessageParam).json_schema()))
"""


def without_words(schema: Any) -> Any:
    if isinstance(schema, list):
        return [without_words(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        name: without_words(one)
        for name, one in sorted(schema.items())
        if name not in WORDS or isinstance(one, dict)
    }


def closed(schema: Any) -> Any:
    """Returns the schema with no other names in its objects. Telnyx's types say this by being
    typed dictionaries, which pydantic leaves open.
    """
    if isinstance(schema, list):
        return [closed(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    within = {name: closed(one) for name, one in schema.items()}
    return {**within, **({"additionalProperties": False} if "properties" in within else {})}


def in_camel_case(schema: Any) -> Any:
    """Returns the schema with the names of Google's JSON, `fileUrl` for Telnyx's `file_url`."""
    if isinstance(schema, list):
        return [in_camel_case(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    found = {name: in_camel_case(one) for name, one in schema.items()}
    if "properties" in found:
        found["properties"] = {camel(name): one for name, one in found["properties"].items()}
    if "required" in found:
        found["required"] = [camel(name) for name in found["required"]]
    return found


def camel(name: str) -> str:
    return re.sub(r"_([a-z])", lambda found: found[1].upper(), name)


def whatsapp(folder: Path) -> dict[str, Any]:
    source = (FOLDER / "whatsapp.ts").read_text()
    (folder / "whatsapp.ts").write_text(source)
    (folder / "tsconfig.json").write_text(json.dumps(COMPILER))
    (folder / "package.json").write_text('{"private": true}')
    packages = [WHATSAPP, GENERATOR, "typescript@5.9.3"]
    subprocess.run(["npm", "install", "--silent", *packages], cwd=folder, check=True)
    names = re.findall(r"^export (?:interface|type) (\w+)", source, re.MULTILINE)
    return {name: without_words(schema_of(folder, name)) for name in names}


def schema_of(folder: Path, name: str) -> Any:
    how = ["--required", "--noExtraProps", "--strictNullChecks", "--refs", "false"]
    command = ["npx", "typescript-json-schema", "tsconfig.json", name, *how]
    return json.loads(subprocess.run(command, cwd=folder, check=True, capture_output=True).stdout)


def rcs(folder: Path) -> Any:
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--target", str(folder), RCS]
    subprocess.run(pip, check=True)
    made = subprocess.run(
        [sys.executable, "-c", OF_PYDANTIC],
        env={"PYTHONPATH": str(folder)},
        check=True,
        capture_output=True,
    )
    return in_camel_case(closed(without_words(json.loads(made.stdout))))


def main() -> None:
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as other:
        made = {"whatsapp.json": whatsapp(Path(one)), "rcs.json": rcs(Path(other))}
    for name, schema in made.items():
        (FOLDER / name).write_text(json.dumps(schema, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
