"""Somebody who signed in, and how htmx asks."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext

from backups.models import Operator
from tests.factories import make_operator


@pytest.fixture
def operator(db: None) -> Operator:
    return make_operator(username="ines")


@pytest.fixture
def client(operator: Operator) -> Client:
    """A browser in which the operator is signed in."""
    client = Client()
    client.force_login(operator)
    return client


@pytest.fixture
def stranger(db: None) -> Client:
    """A browser in which nobody is signed in."""
    return Client()


@pytest.fixture
def htmx(client: Client) -> Callable[..., HttpResponse]:
    """Ask as htmx does for one part of a page: `htmx("/hosts/", "hosts")`."""

    def ask(path: str, target: str, *, method: str = "get", **options: Any) -> HttpResponse:
        headers = {"HX-Request": "true", "HX-Target": target}
        return getattr(client, method)(path, headers=headers, **options)

    return ask


@pytest.fixture
def queries_of(client: Client) -> Callable[[str], int]:
    """How many queries a page takes, after a first look has filled what is kept."""

    def count(path: str) -> int:
        client.get(path)
        with CaptureQueriesContext(connection) as queries:
            client.get(path)
        return len(queries)

    return count
