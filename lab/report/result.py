"""result.json: written whole or not at all, and checked against result.schema.json."""

import json
import os

SCHEMA = os.path.join(os.path.dirname(os.path.abspath(__file__)), "result.schema.json")

_TYPES = {"object": dict, "array": list, "string": str, "boolean": bool, "null": type(None)}


def _is(value, name):
    if name == "integer":
        return isinstance(value, int) and not isinstance(value, bool)
    if name == "number":
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    return isinstance(value, _TYPES[name])


def problems(value, schema, path="$"):
    """What of `value` does not follow `schema`, as readable lines. The part of JSON Schema used here: type, enum,
    minimum, properties, required, additionalProperties, items, minItems, maxItems."""
    out = []
    types = schema.get("type")
    if types is not None:
        types = [types] if isinstance(types, str) else types
        if not any(_is(value, t) for t in types):
            return [f"{path}: {type(value).__name__}, not {' or '.join(types)}"]
    if "enum" in schema and value not in schema["enum"]:
        out.append(f"{path}: {value!r} is not one of {schema['enum']}")
    if "minimum" in schema and _is(value, "number") and value < schema["minimum"]:
        out.append(f"{path}: {value} is less than {schema['minimum']}")
    if isinstance(value, dict):
        props = schema.get("properties", {})
        out += [f"{path}: {k} is missing" for k in schema.get("required", []) if k not in value]
        for key, item in value.items():
            if key in props:
                out += problems(item, props[key], f"{path}.{key}")
            elif schema.get("additionalProperties") is False:
                out.append(f"{path}: {key} is not in the schema")
            elif isinstance(schema.get("additionalProperties"), dict):
                out += problems(item, schema["additionalProperties"], f"{path}.{key}")
    if isinstance(value, list):
        if len(value) < schema.get("minItems", 0) or len(value) > schema.get("maxItems", len(value)):
            out.append(f"{path}: {len(value)} items")
        if isinstance(schema.get("items"), dict):
            for i, item in enumerate(value):
                out += problems(item, schema["items"], f"{path}[{i}]")
    return out


def schema():
    with open(SCHEMA) as f:
        return json.load(f)


def check(value):
    return problems(value, schema())


def write(path, value):
    bad = check(value)
    if bad:
        raise ValueError("result.json does not follow its schema: " + "; ".join(bad[:5]))
    tmp = path + ".tmp"
    with open(tmp, "w") as f:
        json.dump(value, f, indent=1, ensure_ascii=False)
        f.write("\n")
    os.replace(tmp, path)
    return path
