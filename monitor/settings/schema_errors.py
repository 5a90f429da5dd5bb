"""Validate a file against its schema; turn pydantic's errors into problems with line and remedy."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from monitor.settings.problems import ConfigProblem, format_list, format_value, nearest_word
from monitor.settings.schema.field_types import CUSTOM_ERROR
from monitor.settings.toml_files import TomlFile
from monitor.settings.toml_positions import KeyPath

M = TypeVar("M", bound=BaseModel)

_WRONG_TYPE = {
    "float_type": "is not a number",
    "int_type": "is not a whole number",
    "int_from_float": "is not a whole number",
    "finite_number": "is not a number to count with",
    "bool_type": "is neither true nor false",
    "string_type": "is not a text in quotes",
    "list_type": "is not a list",
    "model_type": "is not a table",
    "date_type": "is not a date (without quotes)",
    "time_type": "is not a time of day (without quotes)",
    "datetime_type": "is not a date with a time (without quotes)",
}
_LIMITS = {
    "greater_than": ("gt", "is too small: it must be more than {}"),
    "greater_than_equal": ("ge", "is too small: the least is {}"),
    "less_than": ("lt", "is too large: it must be less than {}"),
    "less_than_equal": ("le", "is too large: the most is {}"),
}
_SYNONYMS = {
    "parent": "via",
    "via": "parent",
    "ip": "address",
    "host": "address",
    "type": "kind",
    "isp": "provider",
    "bandwidth": "capacity_mbps",
    "ifname": "name",
    "nama": "name",
    "kode": "code",
    "alamat": "address",
    "jenis": "kind",
    "penyedia": "provider",
}
"""Words for a key that are not similar to it."""
_SECRET_KEYS = ("community", "password", "passwd", "secret", "auth_password", "priv_password")


def validate_file(model: type[M], source: TomlFile) -> tuple[M | None, list[ConfigProblem]]:
    """Validate the file as `model`; None and every problem if it is invalid."""
    try:
        return model.model_validate(source.data), []
    except ValidationError as error:
        details = error.errors()
    # A misspelt key is both unknown and missing under its right name: reported once.
    misspelt = {
        (*d["loc"][:-1], _intended_key(model, d)) for d in details if d["type"] == "extra_forbidden"
    }
    return None, [
        _problem(model, source, detail)
        for detail in details
        if detail["type"] != "missing" or detail["loc"] not in misspelt
    ]


def _intended_key(model: type[BaseModel], detail: ErrorDetails) -> str | None:
    table, _ = _field(model, detail["loc"])
    return _guess_key(str(detail["loc"][-1]), table.model_fields) if table is not None else None


def _guess_key(key: str, known: Collection[str]) -> str | None:
    also = _SYNONYMS.get(key.lower())
    return also if also in known else nearest_word(key, known)


def _problem(model: type[BaseModel], source: TomlFile, detail: ErrorDetails) -> ConfigProblem:
    path: KeyPath = detail["loc"]
    table, field = _field(model, path)
    if detail["type"] == "extra_forbidden":
        return _unknown_key(model, table, source, path)
    if detail["type"] == "missing":
        return _missing_key(table, field, source, path)
    key = next((part for part in reversed(path) if isinstance(part, str)), "")
    found = _found_value(source, path, key, field)
    what = f"{_prefix(source, path)}{found} {_reason(source, path, detail)}"
    return source.problem(path, what, _remedy(key, field))


def _unknown_key(
    model: type[BaseModel], table: type[BaseModel] | None, source: TomlFile, path: KeyPath
) -> ConfigProblem:
    key = str(path[-1])
    known = list(table.model_fields) if table is not None else []
    guess = _guess_key(key, known)
    elsewhere = [name for name, fields in _all_tables(model) if key in fields and fields != known]
    # A key that is valid in another table is misplaced rather than misspelt; a header is no key.
    if guess is not None and (header := _header(source, path, guess)) is not None:
        mend = f"did you mean {header}?"
    elif guess is not None and (not elsewhere or key.lower() in _SYNONYMS):
        mend = f"did you mean {guess}?"
    else:
        mend = f"the nearest key that may stand here is {nearest_word(key, known, cutoff=0.0)}"
        if elsewhere:
            mend = (
                f"it belongs under {format_list(elsewhere)}: move it there, or remove it; " + mend
            )
        else:
            mend += f", all of them are {format_list(known, most=30)}"
    if key.lower() in _SECRET_KEYS:
        mend = (
            "a secret never stands in these files: put it into secrets/<name> (mode 0600) "
            "and write that name; " + mend
        )
    return source.problem(
        path, f"{_prefix(source, path)}the key {_shown_key(key)} is not known", mend
    )


def _header(source: TomlFile, path: KeyPath, name: str) -> str | None:
    """`[ping.kinds.fibre]` or `[[links]]` if the value is a table or an array of tables."""
    value = source.get(path)
    full = ".".join([*(part for part in path[:-1] if isinstance(part, str)), name])
    if isinstance(value, list) and value and all(isinstance(each, dict) for each in value):
        return f"[[{full}]]"
    return f"[{full}]" if isinstance(value, dict) else None


def _missing_key(
    table: type[BaseModel] | None, field: FieldInfo | None, source: TomlFile, path: KeyPath
) -> ConfigProblem:
    key = str(path[-1])
    inner = _model_in(field.annotation) if field is not None else None
    if inner is not None:
        required = [name for name, each in inner.model_fields.items() if each.is_required()]
        return source.problem(
            path, f"the table [{key}] is missing", f"add [{key}] with {format_list(required)}"
        )
    return source.problem(
        path, f"{_prefix(source, path)}the key {key} is missing", _remedy(key, field, verb="add")
    )


def _reason(source: TomlFile, path: KeyPath, detail: ErrorDetails) -> str:
    kind, context = detail["type"], detail.get("ctx", {})
    if kind in _LIMITS:
        name, template = _LIMITS[kind]
        return template.format(f"{context[name]:g}")
    if kind == "literal_error":
        guess = nearest_word(str(source.get(path)), _allowed(context))
        return "is not one of those allowed" + (
            f": did you mean {format_value(guess)}?" if guess else ""
        )
    if kind == CUSTOM_ERROR:
        return str(context["why"])
    return _WRONG_TYPE.get(kind, f"is not right ({detail['msg']})")


def _allowed(context: dict[str, Any]) -> list[str]:
    """pydantic gives the literals as one string: `'fibre', 'radio', 'lte' or 'vsat'`."""
    return [part for part in str(context["expected"]).split("'")[1::2] if part]


def _found_value(source: TomlFile, path: KeyPath, key: str, field: FieldInfo | None) -> str:
    value = source.get(path)
    if value is None:
        value = source.get(path[:-1])
    if isinstance(value, dict | list):
        return key
    if field is not None and field.repr is False:
        return f"the value of {key} (not shown here)"
    return f"{key} = {format_value(value)}"


def _shown_key(key: str) -> str:
    """The key; quoted and cut if it is no plain word."""
    return key if key.isidentifier() and len(key) <= 40 else format_value(key)


def _remedy(key: str, field: FieldInfo | None, verb: str = "write") -> str:
    if field is None or field.description is None:
        inner = _model_in(field.annotation) if field is not None else None
        if inner is not None:
            return f"write it as a table: a line [{key}], and its keys below"
        return "write it as the shipped example has it"
    if not field.examples:
        return f"{verb} {field.description}"
    return f"{verb} {field.description}, for example {key} = {_format_example(field.examples[0])}"


def _format_example(value: object) -> str:
    if isinstance(value, list):
        return "[" + ", ".join(format_value(part) for part in value) + "]"
    return format_value(value)


def _prefix(source: TomlFile, path: KeyPath) -> str:
    """The part of the file, as a prefix: `link "cadangan": `, `[ping.kinds.vsat] `."""
    numbers = [at for at, part in enumerate(path) if isinstance(part, int)]
    for at in reversed(numbers):
        if isinstance(source.get(path[: at + 1]), dict):
            name = source.text((*path[: at + 1], "id")) or source.text((*path[: at + 1], "name"))
            what = str(path[at - 1]).removesuffix("s")
            number = int(path[at]) + 1
            return f"{what} {format_value(name)}: " if name else f"{what} number {number}: "
    tables = [str(part) for part in path[:-1] if isinstance(part, str)]
    if numbers or not tables:
        return ""
    return f"[{'.'.join(tables)}] "


def _field(
    model: type[BaseModel], path: KeyPath
) -> tuple[type[BaseModel] | None, FieldInfo | None]:
    """The schema of the table that holds the path's last key, and of the key. None: unknown."""
    table: type[BaseModel] | None = model
    field: FieldInfo | None = None
    last: type[BaseModel] | None = model
    for part in path:
        if isinstance(part, int):
            continue
        last = table
        field = table.model_fields.get(part) if table is not None else None
        table = _model_in(field.annotation) if field is not None else None
    return last, field


def _model_in(annotation: Any) -> type[BaseModel] | None:
    """The model in an annotation such as `X`, `X | None` or `list[X]`."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for part in get_args(annotation):
        found = _model_in(part)
        if found is not None:
            return found
    return None


def _all_tables(model: type[BaseModel], name: str = "") -> Iterator[tuple[str, list[str]]]:
    """Every table of a file, with its keys."""
    yield (f"[{name}]" if name else "the top of the file"), list(model.model_fields)
    for key, field in model.model_fields.items():
        inner = _model_in(field.annotation)
        if inner is not None:
            yield from _all_tables(inner, f"{name}.{key}" if name else key)
