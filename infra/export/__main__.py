"""`python -m infra.export`."""

from infra.command import run_tool
from infra.export.export import main

if __name__ == "__main__":
    run_tool(main)
