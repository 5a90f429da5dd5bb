"""What pydantic found wrong in a file → what a person can mend, with its line."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from monitor.settings.problems import ConfigProblem, format_list, format_value, nearest_word
from monitor.settings.schema.field_types import WRONG
from monitor.settings.toml_files import TomlFile
from monitor.settings.toml_positions import KeyPath

M = TypeVar("M", bound=BaseModel)

_NOT_OF_ITS_KIND = {
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
_ALSO_CALLED = {
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
"""Words that are not like the key that they mean."""
_SECRET_KEYS = ("community", "password", "passwd", "secret", "auth_password", "priv_password")


def validate_file(model: type[M], source: TomlFile) -> tuple[M | None, list[ConfigProblem]]:
    """The file as `model`, or None and everything that is wrong in it."""
    try:
        return model.model_validate(source.data), []
    except ValidationError as error:
        details = error.errors()
    # A key with a slip in it is unknown, and what it was meant to be is missing: said once.
    slips = {(*d["loc"][:-1], _meant(model, d)) for d in details if d["type"] == "extra_forbidden"}
    return None, [
        _problem(model, source, detail)
        for detail in details
        if detail["type"] != "missing" or detail["loc"] not in slips
    ]


def _meant(model: type[BaseModel], detail: ErrorDetails) -> str | None:
    table, _ = _field(model, detail["loc"])
    return _guess(str(detail["loc"][-1]), table.model_fields) if table is not None else None


def _guess(key: str, known: Collection[str]) -> str | None:
    also = _ALSO_CALLED.get(key.lower())
    return also if also in known else nearest_word(key, known)


def _problem(model: type[BaseModel], source: TomlFile, detail: ErrorDetails) -> ConfigProblem:
    path: KeyPath = detail["loc"]
    table, field = _field(model, path)
    if detail["type"] == "extra_forbidden":
        return _unknown(model, table, source, path)
    if detail["type"] == "missing":
        return _missing(table, field, source, path)
    key = next((part for part in reversed(path) if isinstance(part, str)), "")
    return source.problem(
        path,
        f"{_within(source, path)}{_given(source, path, key, field)} {_why(source, path, detail)}",
        _mend(key, field),
    )


def _unknown(
    model: type[BaseModel], table: type[BaseModel] | None, source: TomlFile, path: KeyPath
) -> ConfigProblem:
    key = str(path[-1])
    known = list(table.model_fields) if table is not None else []
    guess = _guess(key, known)
    elsewhere = [name for name, fields in _tables(model) if key in fields and fields != known]
    # A key that stands right elsewhere is misplaced, rather than misspelt; a header is no key.
    if guess is not None and (header := _header(source, path, guess)) is not None:
        mend = f"did you mean {header}?"
    elif guess is not None and (not elsewhere or key.lower() in _ALSO_CALLED):
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
    return source.problem(path, f"{_within(source, path)}the key {_key(key)} is not known", mend)


def _header(source: TomlFile, path: KeyPath, name: str) -> str | None:
    """`[ping.kinds.fibre]`, `[[links]]` for what was written as a table; None for a key."""
    value = source.get(path)
    full = ".".join([*(part for part in path[:-1] if isinstance(part, str)), name])
    if isinstance(value, list) and value and all(isinstance(each, dict) for each in value):
        return f"[[{full}]]"
    return f"[{full}]" if isinstance(value, dict) else None


def _missing(
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
        path, f"{_within(source, path)}the key {key} is missing", _mend(key, field, verb="add")
    )


def _why(source: TomlFile, path: KeyPath, detail: ErrorDetails) -> str:
    kind, context = detail["type"], detail.get("ctx", {})
    if kind in _LIMITS:
        name, words = _LIMITS[kind]
        return words.format(f"{context[name]:g}")
    if kind == "literal_error":
        guess = nearest_word(str(source.get(path)), _allowed(context))
        return "is not one of those allowed" + (
            f": did you mean {format_value(guess)}?" if guess else ""
        )
    if kind == WRONG:
        return str(context["why"])
    return _NOT_OF_ITS_KIND.get(kind, f"is not right ({detail['msg']})")


def _allowed(context: dict[str, Any]) -> list[str]:
    """pydantic tells the literals as a text: `'fibre', 'radio', 'lte' or 'vsat'`."""
    return [part for part in str(context["expected"]).split("'")[1::2] if part]


def _given(source: TomlFile, path: KeyPath, key: str, field: FieldInfo | None) -> str:
    value = source.get(path)
    if value is None:
        value = source.get(path[:-1])
    if isinstance(value, dict | list):
        return key
    if field is not None and field.repr is False:
        return f"the value of {key} (not shown here)"
    return f"{key} = {format_value(value)}"


def _key(key: str) -> str:
    """A key as it stands in the file: plain, or in quotes and cut when it is odd."""
    return key if key.isidentifier() and len(key) <= 40 else format_value(key)


def _mend(key: str, field: FieldInfo | None, verb: str = "write") -> str:
    if field is None or field.description is None:
        inner = _model_in(field.annotation) if field is not None else None
        if inner is not None:
            return f"write it as a table: a line [{key}], and its keys below"
        return "write it as the shipped example has it"
    if not field.examples:
        return f"{verb} {field.description}"
    return f"{verb} {field.description}, for example {key} = {_toml(field.examples[0])}"


def _toml(value: object) -> str:
    if isinstance(value, list):
        return "[" + ", ".join(format_value(part) for part in value) + "]"
    return format_value(value)


def _within(source: TomlFile, path: KeyPath) -> str:
    """`link "cadangan": `, `[ping.kinds.vsat] `: which part of the file is meant."""
    numbers = [at for at, part in enumerate(path) if isinstance(part, int)]
    for at in reversed(numbers):
        if isinstance(source.get(path[: at + 1]), dict):
            called = source.text((*path[: at + 1], "id")) or source.text((*path[: at + 1], "name"))
            what = str(path[at - 1]).removesuffix("s")
            number = int(path[at]) + 1
            return f"{what} {format_value(called)}: " if called else f"{what} number {number}: "
    tables = [str(part) for part in path[:-1] if isinstance(part, str)]
    if numbers or not tables:
        return ""
    return f"[{'.'.join(tables)}] "


def _field(
    model: type[BaseModel], path: KeyPath
) -> tuple[type[BaseModel] | None, FieldInfo | None]:
    """The table that a path leads into, and its last key there (None: not a known key)."""
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
    """The model in `X`, `X | None`, `list[X]`."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for part in get_args(annotation):
        found = _model_in(part)
        if found is not None:
            return found
    return None


def _tables(model: type[BaseModel], name: str = "") -> Iterator[tuple[str, list[str]]]:
    """Every table of a file with its keys: `[ping]`, `[[links]]`."""
    yield (f"[{name}]" if name else "the top of the file"), list(model.model_fields)
    for key, field in model.model_fields.items():
        inner = _model_in(field.annotation)
        if inner is not None:
            yield from _tables(inner, f"{name}.{key}" if name else key)
