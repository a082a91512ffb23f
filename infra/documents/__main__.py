"""`python -m infra.documents`."""

from infra.command import run_tool
from infra.documents.printed import main

if __name__ == "__main__":
    run_tool(main)
