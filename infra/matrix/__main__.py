"""`python -m infra.matrix COMMAND`: what one needs to answer customers in Matrix."""

import argparse

from infra.command import run_tool
from infra.matrix import homeserver, registration

COMMANDS = {"registration": registration, "homeserver": homeserver}


def main(given: list[str] | None = None) -> int:
    what = "What one needs to answer customers in Matrix."
    parser = argparse.ArgumentParser(prog="python -m infra.matrix", description=what)
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name, module in COMMANDS.items():
        module.add_arguments(commands.add_parser(name, help=module.HELP, description=module.HELP))
    chosen = parser.parse_args(given)
    code: int = COMMANDS[chosen.command].run(chosen)
    return code


if __name__ == "__main__":
    run_tool(main)
