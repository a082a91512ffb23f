"""`python -m infra.export`."""

from infra.command import run_tool
from infra.export.export import main

run_tool(main)
