"""The table of settings, printed from the model that reads them."""

import ast
import inspect
from collections.abc import Mapping
from itertools import pairwise

from infra.deployables import deployables
from shared.settings.model import Settings, read_settings

SERVICE = "k_service"  # Cloud Run sets it


def meanings() -> dict[str, str]:
    """Returns the text below each field of the model."""
    lines = [
        line
        for model in ast.parse(inspect.getsource(Settings)).body
        if isinstance(model, ast.ClassDef)
        for line in model.body
    ]
    found = dict[str, str]()
    for field, text in pairwise(lines):
        if isinstance(field, ast.AnnAssign) and isinstance(text, ast.Expr):
            found[ast.unparse(field.target)] = inspect.cleandoc(ast.literal_eval(text.value))
    return found


def settings_table() -> str:
    """Returns a Markdown table with a row for every setting, in the model's order. Raises KeyError
    for a field without a text.
    """
    texts = meanings()
    secrets = {name for row in deployables().values() for name in row.secrets}
    deployed, local = read_settings({"K_SERVICE": "any"}), read_settings({})
    rows = [
        f"| `{name.upper()}` |{_default(name, deployed, local)}|"
        f"{' yes ' if name.upper() in secrets else ' '}| {' '.join(texts[name].split())} |"
        for name in Settings.model_fields
        if name != SERVICE
    ]
    return "\n".join(["| variable | default | secret | meaning |", "|---|---|---|---|", *rows])


def _default(name: str, deployed: Settings, local: Settings) -> str:
    shown, here = (_shown(getattr(one, name)) for one in (deployed, local))
    return f" {shown}{f'; locally {here}' if here != shown else ''} ".replace("  ", " ")


def _shown(value: object) -> str:
    if value is None or value in ("", (), frozenset()) or isinstance(value, Mapping):
        return ""
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, int | float):
        return f"`{value:g}`"
    if isinstance(value, frozenset | tuple):
        listed = sorted(value) if isinstance(value, frozenset) else value
        return f"`{','.join(str(one) for one in listed)}`"
    return f"`{value}`"
