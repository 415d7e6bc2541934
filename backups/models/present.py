"""The present as a part of a query: statements that are asked again and again are made once."""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from functools import cache
from typing import Any, Self

from django.db import connection, models
from django.db.models.sql.compiler import SQLCompiler
from django.utils import timezone


class Present(models.Expression):
    """Now, or so much later; it is filled in when the statement is asked."""

    def __init__(self, later: timedelta = timedelta()) -> None:
        super().__init__(output_field=models.DateTimeField())
        self.later = later

    def __add__(self, span: timedelta) -> Self:  # type: ignore[override]
        return type(self)(self.later + span)

    def __sub__(self, span: timedelta) -> Self:  # type: ignore[override]
        return type(self)(self.later - span)

    def as_sql(self, compiler: SQLCompiler, connection: Any) -> tuple[str, list[Any]]:
        return "%s", [self]


Now = datetime | Present
# Rows, each with the figure `count`.
Counted = Callable[[Now], "models.QuerySet[Any, Any]"]


def ones(rows: "models.QuerySet[Any]") -> "models.QuerySet[Any, Any]":
    """Each row counts as one."""
    return rows.order_by().values(count=models.Value(1))


def count_each(sources: tuple[Counted, ...]) -> list[int]:
    """The sum of each, in one statement; to make it takes ten times as long as to answer it."""
    sql, parameters = _statement(sources, connection.vendor)
    with connection.cursor() as cursor:
        cursor.execute(sql, list(_filled_in(parameters)))
        return list(cursor.fetchone())


@cache
def _statement(sources: tuple[Counted, ...], vendor: str) -> tuple[str, tuple[Any, ...]]:
    """Databases differ in how they say the same."""
    sums: list[str] = []
    parameters: list[Any] = []
    for rows in sources:
        sql, given = rows(Present()).query.sql_with_params()
        # What Django made of our own queries, with places for all values.
        sums.append(f'(SELECT COALESCE(SUM("count"), 0) FROM ({sql}) AS counted)')  # noqa: S608
        parameters += given
    return f"SELECT {', '.join(sums)}", tuple(parameters)


def _filled_in(parameters: Iterable[Any]) -> Iterable[Any]:
    now = timezone.now()
    for value in parameters:
        if isinstance(value, Present):
            yield connection.ops.adapt_datetimefield_value(now + value.later)
        else:
            yield value
