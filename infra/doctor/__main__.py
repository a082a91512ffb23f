"""`python -m infra.doctor`."""

from infra.command import run_tool
from infra.doctor.doctor import main

if __name__ == "__main__":
    run_tool(main)
