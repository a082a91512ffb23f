"""`python -m infra.stage [FUNCTION ...]`: builds `build/<function>/`, the folder that is deployed.

It holds main.py and the function's static files, shared/ and the hashed requirements.txt, and nothing else: the
framework finds no other code (its console script does not put the working directory on the path).
"""

import argparse
import ast
import shutil
import sys
from pathlib import Path

from infra.deployables import ROOT, deployables

LEFT_OUT = shutil.ignore_patterns("__pycache__", "*.pyc")
OURS = {"functions", "infra", "tests", "shared"}


class StagingError(Exception):
    """A function cannot be staged as it is; the message says why."""


def stage(function: str, into: Path = ROOT / "build") -> Path:
    """Returns the staged folder of a function. Raises StagingError."""
    source, target = ROOT / "functions" / function, into / function
    if not (source / "main.py").is_file():
        raise StagingError(f"functions/{function}/main.py does not exist")
    _check_imports(source)
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(source, target, ignore=LEFT_OUT)
    shutil.copytree(ROOT / "shared", target / "shared", ignore=LEFT_OUT)
    shutil.copy(ROOT / "requirements.txt", target)
    return target


def _check_imports(source: Path) -> None:
    """Of our own code a function may import `shared` only: nothing else is staged."""
    for file in [*source.rglob("*.py"), *(ROOT / "shared").rglob("*.py")]:
        strangers = (_packages(file) & OURS) - {"shared"}
        if strangers:
            raise StagingError(f"{file.relative_to(ROOT)} imports {', '.join(sorted(strangers))}, which is not staged")


def _packages(file: Path) -> set[str]:
    """Returns the top-level packages that a file imports."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            found |= {name.name.partition(".")[0] for name in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.partition(".")[0])
    return found


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m infra.stage", description="Build the folders that are deployed.")
    parser.add_argument("function", nargs="*", help="which ones (default: all of infra/functions.json)")
    for function in parser.parse_args().function or deployables():
        try:
            print(f"staged {stage(function).relative_to(ROOT)}")
        except StagingError as error:
            print(f"cannot stage {function}: {error}", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
