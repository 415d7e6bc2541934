"""Somebody who signed in, and somebody who did not."""

import pytest
from django.core.cache import cache
from django.test import Client

from backups.models import Operator
from tests.factories import make_operator

PASSWORD = "correct horse battery staple"


@pytest.fixture(autouse=True)
def _no_former_requests(db: None) -> None:
    """Each test has all of the rate limits."""
    cache.clear()


@pytest.fixture
def operator(db: None) -> Operator:
    return make_operator(username="ines", password=PASSWORD, is_staff=True, is_superuser=True)


@pytest.fixture
def client(operator: Operator) -> Client:
    """A browser in which the operator is signed in, and which keeps to the rules of CSRF."""
    client = Client(enforce_csrf_checks=True)
    client.force_login(operator)
    return client


@pytest.fixture
def stranger(operator: Operator) -> Client:
    """A browser in which nobody is signed in, at a house that has an operator."""
    return Client(raise_request_exception=False)
