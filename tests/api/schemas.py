"""What the API says it takes, as strategies: bodies that fit, and bodies that nearly do."""

from typing import Any

from hypothesis import strategies as st

Schema = dict[str, Any]
_JUNK = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(),
    st.text(max_size=30),
    st.sampled_from(["\0", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59Z", "ä" * 300]),
    st.lists(st.none(), max_size=2),
    st.dictionaries(st.text(max_size=5), st.none(), max_size=2),
)


def bodies(schema: Schema, components: Schema, *, junk: bool = True) -> st.SearchStrategy[Any]:
    """Of this schema; with `junk`, now and then something else in the place of a part."""
    fitting = _fitting(schema, components, junk=junk)
    return st.integers(0, 19).flatmap(lambda n: _JUNK if junk and n == 0 else fitting)


def _fitting(schema: Schema, components: Schema, *, junk: bool) -> st.SearchStrategy[Any]:
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return st.deferred(lambda: bodies(components[name], components, junk=junk))
    if "anyOf" in schema:
        return st.one_of([bodies(part, components, junk=junk) for part in schema["anyOf"]])
    if "const" in schema or "enum" in schema:
        return st.sampled_from(schema.get("enum", [schema.get("const")]))
    match schema.get("type"):
        case "object":
            return _object(schema, components, junk=junk)
        case "array":
            items = bodies(schema.get("items", {}), components, junk=junk)
            return st.lists(items, max_size=min(3, schema.get("maxItems", 3)))
        case "string":
            return _text(schema)
        case "integer":
            return st.integers(schema.get("minimum", -5), schema.get("maximum", 300))
        case "boolean":
            return st.booleans()
        case "null":
            return st.none()
    return _JUNK


def _object(schema: Schema, components: Schema, *, junk: bool) -> st.SearchStrategy[Any]:
    properties = {
        name: bodies(part, components, junk=junk)
        for name, part in schema.get("properties", {}).items()
    }
    required = {name: properties.pop(name) for name in schema.get("required", [])}
    return st.fixed_dictionaries(required, optional=properties)


def _text(schema: Schema) -> st.SearchStrategy[Any]:
    if schema.get("format") == "date-time":
        return st.datetimes().map(lambda at: at.isoformat() + "Z")
    if "pattern" in schema:
        return st.from_regex(schema["pattern"])
    limit = min(60, schema.get("maxLength", 60))
    return st.text(min_size=min(limit, schema.get("minLength", 0)), max_size=limit)
