"""Writes the OpenAPI document where the repository keeps it. `make openapi` calls it."""

import json
from pathlib import Path

from shared.api.openapi import document
from shared.version import VERSION

KEPT = Path(__file__).parents[1] / "functions" / "send_representative" / "openapi.json"

if __name__ == "__main__":
    KEPT.write_text(json.dumps(document(VERSION), indent=2, ensure_ascii=False) + "\n")
    print(f"{KEPT.name} describes version {VERSION}")
