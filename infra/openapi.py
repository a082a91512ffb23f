"""`make openapi`: writes the OpenAPI document where the repository keeps it."""

import argparse
import json
from pathlib import Path

from infra.command import run_tool
from shared.api.openapi import document
from shared.version import VERSION

KEPT = Path(__file__).parents[1] / "functions" / "send_representative" / "openapi.json"


def main(given: list[str] | None = None) -> int:
    what = "Write the OpenAPI document of the API."
    argparse.ArgumentParser(prog="python -m infra.openapi", description=what).parse_args(given)
    KEPT.write_text(json.dumps(document(VERSION), indent=2, ensure_ascii=False) + "\n")
    print(f"{KEPT.name} describes version {VERSION}")
    return 0


if __name__ == "__main__":
    run_tool(main)
