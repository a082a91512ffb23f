"""Bodies made from a schema of this folder: they have what a client library says of the platform.

The schemas have objects, lists, alternatives, constants, texts, numbers and booleans, no others.
"""

from typing import Any

from hypothesis import strategies as st

NOTHING: dict[str, Any] = {"not": {}}


def made(schema: dict[str, Any], values: dict[str, st.SearchStrategy[Any]]) -> Any:
    """Returns a strategy of bodies. `values` are those of fields of this name, wherever they are:
    the types say of most that they are a text, and not of which form. Those named "" are the values
    of all other texts.
    """
    if "anyOf" in schema:
        return st.one_of([made(one, values) for one in schema["anyOf"]])
    if "const" in schema:
        return st.just(schema["const"])
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    return st.one_of([_KINDS[kind](schema, values) for kind in kinds])


def is_any_text(schema: dict[str, Any]) -> bool:
    return "string" in schema.get("type", ()) and not {"const", "enum"} & set(schema)


def _object(schema: dict[str, Any], values: dict[str, st.SearchStrategy[Any]]) -> Any:
    known = {
        name: values[name] if name in values and is_any_text(one) else made(one, values)
        for name, one in schema.get("properties", {}).items()
        if one != NOTHING
    }
    needed = set(schema.get("required", ()))
    return st.fixed_dictionaries(
        {name: one for name, one in known.items() if name in needed},
        optional={name: one for name, one in known.items() if name not in needed},
    )


def _array(schema: dict[str, Any], values: dict[str, st.SearchStrategy[Any]]) -> Any:
    items = schema["items"]
    if isinstance(items, list):
        return st.tuples(*(made(one, values) for one in items)).map(list)
    return st.lists(made(items, values), min_size=schema.get("minItems", 0), max_size=3)


def _scalar(one: st.SearchStrategy[Any]) -> Any:
    return lambda schema, values: one


_KINDS: dict[Any, Any] = {
    "object": _object,
    "array": _array,
    "string": lambda schema, values: values.get("", st.text(max_size=20)),
    "number": _scalar(st.integers(0, 10**12) | st.floats(0, 1e6)),
    "boolean": _scalar(st.booleans()),
    "null": _scalar(st.none()),
}
