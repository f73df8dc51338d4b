"""Fields: another one of the same type."""

import ast
from collections.abc import Iterator

from django.db import models
from django.db.models import Field, Model

from workbook.exercises import syntax
from workbook.exercises.mutation.change import Change

TEXTS = (models.CharField, models.TextField)
_KINDS = (
    (models.DecimalField, models.FloatField),
    (models.IntegerField,),
    (models.DateTimeField,),
    (models.DateField,),
    TEXTS,
)
AGGREGATES = ("Count", "Sum", "Avg", "Max", "Min", "StdDev", "Variance", "AnyValue", "StringAgg")


def field_swapped(code: syntax.Code, node: ast.AST) -> Iterator[Change]:
    """`created_at` for `issued_at`, in conditions, orders, groups and aggregates."""
    if isinstance(node, ast.keyword) and node.arg and syntax.is_condition(code, node):
        path, lookup = code.split(node, node.arg)
        for other in _fields_like(code.model(node), path):
            name = f"{other}__{lookup}" if lookup else other
            yield Change(
                ast.keyword(name, node.value), f"with `{other}` for `{path}`", _last(other)
            )
    elif isinstance(node, ast.Constant) and isinstance(node.value, str):
        call = code.parents[id(node)]
        if not isinstance(call, ast.Call) or node not in call.args:
            return
        about_order = bool(syntax.method(call, "order_by"))
        named = about_order or syntax.method(
            call, "latest", "earliest", "alatest", "aearliest", "dates", "datetimes"
        )
        groups = syntax.method(call, "values", "values_list") and syntax.is_grouped(code, call)
        if not (named or groups or syntax.function(call, "F", "Lower", "Upper", *AGGREGATES)):
            return
        sign, path = ("-", node.value[1:]) if node.value[:1] == "-" else ("", node.value)
        for other in _fields_like(code.model(node), path):
            yield Change(
                syntax.text(sign + other), f"with `{other}` for `{path}`", _last(other), about_order
            )


def _kind(field: Field) -> int:
    return next((place for place, kind in enumerate(_KINDS) if isinstance(field, kind)), -1)


def _last(path: str) -> str:
    return rf"\b{path.rpartition('__')[2]}\b"


def _fields_like(model: type[Model] | None, path: str) -> list[str]:
    """Paths to the other fields of this kind on the same model."""
    if model is None:
        return []
    field, rest = syntax.resolve(model, path)
    if field is None or rest:
        return []
    owner = field.model
    before = path.rpartition("__")[0]
    if getattr(field, "one_to_many", False) or getattr(field, "many_to_many", False):
        others = [
            one.name
            for one in owner._meta.get_fields()
            if (one.one_to_many or one.many_to_many) and not getattr(one, "hidden", False)
        ]
    elif field.primary_key:
        return []
    elif field.is_relation:
        others = [one.name for one in owner._meta.concrete_fields if one.is_relation]
    else:
        others = [
            one.name
            for one in owner._meta.concrete_fields
            if not one.is_relation and not one.primary_key and _kind(one) == _kind(field) >= 0
        ]
    return [f"{before}__{name}" if before else name for name in others if name != field.name]
