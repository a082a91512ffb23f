"""What runs beside the functions: staging, deployment and the local run."""

import sys

if sys.argv[0] == "-m":  # while Python looks for the module of `python -m infra...`
    from infra import command

    sys.excepthook = command.hook
