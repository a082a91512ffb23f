"""`python -m infra.doctor`."""

from infra.command import run_tool
from infra.doctor.doctor import main

run_tool(main)
