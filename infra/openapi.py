"""`make openapi`: writes the OpenAPI documents, and the schemas of topics and webhooks, where the
repository keeps them.
"""

import argparse
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from infra.command import run_tool
from infra.deployables import ROOT
from infra.documents.messages import schemas
from shared.api import openapi as api
from shared.browser import openapi as browser
from shared.version import VERSION

FUNCTIONS = ROOT / "functions"


def kept() -> Mapping[Path, dict[str, Any]]:
    """Returns what each file holds."""
    described = {
        FUNCTIONS / "send_representative" / "openapi.json": api.document(VERSION),
        FUNCTIONS / "forward_variables" / "openapi.json": browser.document(VERSION),
    }
    bodies = {FUNCTIONS / "schemas" / f"{name}.json": one for name, one in schemas().items()}
    return described | bodies


def main(given: list[str] | None = None) -> int:
    what = "Write the OpenAPI documents and the schemas of topics and webhooks."
    argparse.ArgumentParser(prog="python -m infra.openapi", description=what).parse_args(given)
    for path, content in kept().items():
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n")
        print(path.relative_to(ROOT))
    return 0


if __name__ == "__main__":
    run_tool(main)
