"""`python -m infra.deploy`."""

import os
from pathlib import Path

from infra.command import run_tool
from infra.deploy.deploy import main

if __name__ == "__main__":
    os.chdir(Path(__file__).parents[2])
    run_tool(main)
