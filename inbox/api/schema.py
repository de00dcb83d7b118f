"""How endpoints describe themselves in the schema, whatever a host's own REST settings say."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, TypeVar

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import extend_schema

Endpoint = TypeVar("Endpoint")


class Schema(AutoSchema):
    """Takes an endpoint's name from the endpoint where it has one."""

    def get_operation_id(self) -> str:
        return str(getattr(self.view, "operation_id", "") or super().get_operation_id())


def described(*, operation_id: str = "", **facts: Any) -> Callable[[Endpoint], Endpoint]:
    """`extend_schema` on top of our schema class.

    On a method it would otherwise build on the host's DEFAULT_SCHEMA_CLASS, which may be of
    another library; on a class it takes a name for a mistake, so the class carries that itself.
    """

    def decorate(target: Any) -> Any:
        if inspect.isclass(target):
            setattr(target, "operation_id", operation_id)  # noqa: B010 -- any class
            return extend_schema(**facts)(target)
        target.kwargs = {"schema": Schema}
        return extend_schema(operation_id=operation_id or None, **facts)(target)

    return decorate
