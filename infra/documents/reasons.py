"""The table of error reasons, printed from the error tree and from where reasons are given."""

import ast
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from infra.deployables import ROOT
from shared import errors
from shared.errors import BatonError
from shared.handoff.transitions import Refusal

SHARED = ROOT / "shared"
TREE = SHARED / "errors.py"
KINDS = {
    name: kind
    for name, kind in vars(errors).items()
    if isinstance(kind, type) and issubclass(kind, BatonError)
}
FILLED_IN = "…"
FEW = 2  # different messages of one reason that are shown


class NoReasonError(Exception):
    """The code makes an error in a way that this module cannot read; the message says where."""


@dataclass(frozen=True, slots=True)
class Given:
    """A reason as one place in the code gives it."""

    reason: str
    kind: type[BatonError]
    message: str
    room: str


@cache
def given_reasons() -> Sequence[Given]:
    """Returns every reason that `shared` gives, once for each place. Raises NoReasonError."""
    own = _own_reasons()
    found = [
        one for path in sorted(SHARED.rglob("*.py")) if path != TREE for one in _given_in(path, own)
    ]
    return sorted(found, key=lambda one: (one.kind.code, one.kind.status, one.reason))


def reasons_table() -> str:
    """Returns a Markdown table with a row for every reason and status. Raises NoReasonError."""
    rows = defaultdict[tuple[int, str, str], list[Given]](list)
    for one in given_reasons():
        rows[one.kind.code, one.kind.status, one.reason].append(one)
    lines = [
        f"| `{reason}` | {code} {status} | {_rooms(given)} | {_messages(given)} |"
        for (code, status, reason), given in rows.items()
    ]
    return "\n".join(
        ["| reason | code and status | given in | message |", "|---|---|---|---|", *lines]
    )


def _rooms(given: list[Given]) -> str:
    return ", ".join(f"`{room}`" for room in sorted({one.room for one in given}))


def _messages(given: list[Given]) -> str:
    texts = sorted({one.message for one in given})
    shown = len(texts) <= FEW and FILLED_IN not in texts
    return " / ".join(texts) if shown else "The message says what is wrong, and what to do."


def _own_reasons() -> dict[str, tuple[str, str]]:
    """Returns reason and message of each error that always has the same ones."""
    own = dict[str, tuple[str, str]]()
    for kind in ast.parse(TREE.read_text()).body:
        for call in ast.walk(kind):
            if isinstance(kind, ast.ClassDef) and isinstance(call, ast.Call) and _is_super(call):
                own |= {kind.name: (_text(call.args[0]), _text(call.args[1]))}
    own.pop(BatonError.__name__, None)
    return own


def _is_super(call: ast.Call) -> bool:
    return ast.unparse(call.func) == "super().__init__" and len(call.args) > 1


def _given_in(path: Path, own: dict[str, tuple[str, str]]) -> Iterator[Given]:
    room = path.relative_to(SHARED).parts[0].removesuffix(".py")
    tree = ast.parse(path.read_text())
    for node in ast.walk(tree):
        name = _name(node)
        if name == Refusal.__name__ and isinstance(node, ast.Call):
            kinds = [one.value for one in node.keywords if one.arg == "error"]
            kind = KINDS[ast.unparse(kinds[0])] if kinds else errors.Refused
            yield Given(_text(node.args[0]), kind, _text(node.args[1]), room)
        elif name in own:
            yield Given(own[name][0], KINDS[name], own[name][1], room)
        elif name in KINDS and isinstance(node, ast.Call):
            arguments = _arguments(node, tree)
            if isinstance(arguments[0], ast.Attribute):  # a Refusal's, which is read where it is
                continue
            if len(arguments) < FEW:
                raise NoReasonError(f"{path.relative_to(ROOT)}:{node.lineno}: no reason")
            yield Given(_text(arguments[0]), KINDS[name], _text(arguments[1]), room)


def _name(node: ast.AST) -> str:
    """Returns which error a node makes: `raise Contended` does it without a call."""
    made = node.func if isinstance(node, ast.Call) else None
    if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Name):
        made = node.exc
    return made.id if isinstance(made, ast.Name) else ""


def _arguments(call: ast.Call, tree: ast.Module) -> list[ast.expr]:
    """Returns the arguments; those of a tuple that is given with a star are looked up."""
    first = call.args[0]
    if not (isinstance(first, ast.Starred) and isinstance(first.value, ast.Name)):
        return call.args
    assigned = (node for node in ast.walk(tree) if isinstance(node, ast.Assign))
    for one in assigned:
        if isinstance(one.value, ast.Tuple) and ast.unparse(one.targets[0]) == first.value.id:
            return one.value.elts
    return call.args


def _text(node: ast.expr) -> str:
    """Returns the text of a literal; what is filled in stands there as FILLED_IN."""
    if isinstance(node, ast.JoinedStr):
        return "".join(
            str(part.value) if isinstance(part, ast.Constant) else FILLED_IN for part in node.values
        )
    if isinstance(node, ast.BinOp):
        return _text(node.left) + _text(node.right)
    return str(node.value) if isinstance(node, ast.Constant) else FILLED_IN
