"""`python -m infra.cost`."""

from infra.command import run_tool
from infra.cost.cost import main

if __name__ == "__main__":
    run_tool(main)
