"""`python -m infra.stage [FUNCTION ...]`: builds `build/<function>/` and its zip, which is
deployed.

The folder holds main.py and the function's static files, shared/ and the hashed requirements.txt.
The framework finds no other code: its console script does not put the working directory on the
path. The same sources give the same zip, byte for byte. The name of the zip holds the hash, so only
a changed function is deployed again.
"""

import argparse
import ast
import hashlib
import io
import json
import os
import shutil
import sys
import zipfile
from functools import cache
from pathlib import Path

from infra.command import run_tool
from infra.deployables import ROOT, deployables
from infra.simulate import DeploymentBuild, SimulationError

BUILD = ROOT / "build"
TERRAFORM = ROOT / "infra" / "terraform"
LEFT_OUT = shutil.ignore_patterns("__pycache__", "*.pyc")
OURS = {"functions", "infra", "tests", "shared"}
EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest time that a zip can store


class StagingError(Exception):
    """A function cannot be staged; the message gives the reason."""


def stage(function: str, into: Path = BUILD) -> Path:
    """Returns the staged folder of a function. Raises StagingError."""
    source, target = ROOT / "functions" / function, into / function
    is_name = function == Path(function).name  # a path would replace a folder elsewhere
    if not is_name or not (source / "main.py").is_file():
        raise StagingError(f"functions/{function}/main.py does not exist")
    check_imports(source)
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(source, target, ignore=LEFT_OUT)
    shutil.copytree(ROOT / "shared", target / "shared", ignore=LEFT_OUT)
    shutil.copy(ROOT / "requirements.txt", target)
    return target


def archive(folder: Path) -> Path:
    """Returns the zip of a staged folder, beside it. Deletes older zips of the function."""
    content = zipped(folder)
    target = folder.with_name(f"{folder.name}-{hashlib.sha256(content).hexdigest()[:16]}.zip")
    for old in folder.parent.glob(f"{folder.name}-*.zip"):
        old.unlink()
    target.write_bytes(content)
    return target


def zipped(folder: Path) -> bytes:
    """Returns the folder as a zip without compression: another version of zlib would give other
    bytes. The folder is small.
    """
    written = io.BytesIO()
    files = {
        path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()
    }
    with zipfile.ZipFile(written, "w", zipfile.ZIP_STORED) as target:
        for name in sorted(files):
            info = zipfile.ZipInfo(name, EPOCH)
            info.create_system, info.external_attr = 3, 0o100644 << 16
            target.writestr(info, files[name].read_bytes())
    return written.getvalue()


def tell_terraform(build: Path = BUILD, terraform: Path = TERRAFORM) -> Path:
    """Returns the file that names every zip that was built. Terraform reads it automatically."""
    found = {name: sorted(build.glob(f"{name}-*.zip")) for name in deployables()}
    sources = {
        name: Path(os.path.relpath(zips[0], terraform)).as_posix()
        for name, zips in found.items()
        if zips
    }
    target = terraform / "sources.auto.tfvars.json"
    target.write_text(json.dumps({"sources": sources}, indent=2) + "\n")
    return target


def check_imports(source: Path, root: Path = ROOT) -> None:
    """Raises StagingError where a function imports code of ours other than `shared`: nothing else
    is staged.
    """
    for file in [*source.rglob("*.py"), *(root / "shared").rglob("*.py")]:
        strangers = (_packages(file.read_text()) & OURS) - {"shared"}
        if strangers:
            raise StagingError(
                f"{file.relative_to(root)} imports {', '.join(sorted(strangers))}, which is not "
                f"staged"
            )


@cache
def _packages(source: str) -> frozenset[str]:
    """Returns the top-level packages that a source imports. Every function is staged with the same
    `shared`, which is read once.
    """
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {name.name.partition(".")[0] for name in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.partition(".")[0])
    return frozenset(found)


def _arguments(given: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m infra.stage", description="Build what is deployed."
    )
    parser.add_argument(
        "function", nargs="*", help="which ones (default: all of infra/functions.json)"
    )
    parser.add_argument(
        "--check",
        action="store_true",
        help="go through the deployment build and start each function",
    )
    parser.add_argument(
        "--python", default=sys.executable, help="the Python to check with (default: this one)"
    )
    return parser.parse_args(given)


def main(given: list[str] | None = None) -> int:
    arguments = _arguments(given)
    functions = arguments.function or list(deployables())
    try:
        for function in functions:
            print(f"staged {archive(stage(function)).relative_to(ROOT)}", flush=True)
        tell_terraform()
        if arguments.check:
            _check(functions, arguments.python)
    except StagingError as error:
        print(f"not staged: {error}", file=sys.stderr)
        return 1
    except SimulationError as error:
        print(f"staged, but the deployment would fail: {error}", file=sys.stderr)
        return 1
    return 0


def _check(functions: list[str], python: str) -> None:
    with DeploymentBuild(python, ROOT / "requirements.txt") as build:
        print(f"{build.version}: the hashed requirements install, and fit together", flush=True)
        for function in functions:
            print(
                f"{build.version}: {function} compiles, starts and answers "
                f"{build.answer(BUILD / function)}",
                flush=True,
            )


if __name__ == "__main__":
    run_tool(main)
