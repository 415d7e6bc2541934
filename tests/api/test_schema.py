"""The API keeps to its own description: whatever is sent, the answer is one that it names."""

import json
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backups.models import DaySum, Run
from dashboard.api import api
from tests.api.conftest import Agent
from tests.api.schemas import bodies

OPENAPI = json.loads(json.dumps(api.get_openapi_schema(path_prefix="/api/"), default=str))
COMPONENTS = OPENAPI["components"]["schemas"]
# What each door may say besides what it describes: wrong key, bad shape, too large, too often.
ALWAYS = {400, 401, 404, 405, 409, 413, 422, 429, 503}
DOORS = [
    (path, method, operation)
    for path, methods in OPENAPI["paths"].items()
    for method, operation in methods.items()
]
given_much = settings(
    max_examples=60, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True
)


def schema_of(operation: dict[str, Any]) -> dict[str, Any]:
    content = operation.get("requestBody", {}).get("content", {})
    schema: dict[str, Any] = content.get("application/json", {}).get("schema", {})
    return schema


@pytest.mark.parametrize(
    ("path", "method", "operation"), DOORS, ids=[f"{method} {path}" for path, method, _ in DOORS]
)
def test_a_door_answers_as_it_says(
    agent: Agent, path: str, method: str, operation: dict[str, Any]
) -> None:
    client = Client()

    @given_much
    @given(
        body=bodies(schema_of(operation), COMPONENTS),
        word=st.text("abz09.-_ä/%", min_size=1, max_size=8),
        has_key=st.booleans(),
    )
    def ask(body: Any, word: str, has_key: bool) -> None:
        cache.clear()
        address = path
        while "{" in address:
            before, _, rest = address.partition("{")
            address = f"{before}{word.replace('/', '').replace('%', '')}{rest.partition('}')[2]}"
        headers = {"Authorization": f"Bearer {agent.key}"} if has_key else {}
        text = json.dumps(body)
        answer = client.generic(
            method.upper(), address, text, content_type="application/json", headers=headers
        )
        described = {int(status) for status in operation["responses"]}
        assert answer.status_code in described | ALWAYS
        if answer.status_code >= 400 and answer.get("Content-Type", "").startswith("application"):
            assert json.loads(answer.content)["detail"]

    ask()


def test_what_fits_is_taken_whole_and_the_days_add_up(agent: Agent) -> None:
    """Without junk, but with any text, time and number that the description lets in."""
    schema = COMPONENTS["Report"]
    seen = set()

    @given_much
    @given(body=bodies(schema, COMPONENTS, junk=False))
    def report(body: dict[str, Any]) -> None:
        cache.clear()
        answer = agent.post("reports", body)
        # The years of the calendar are the one thing that its schema cannot say.
        assert answer.status_code in {202, 422}, answer.content
        seen.add(answer.status_code)
        ended = Run.objects.filter(finished__isnull=False).count()
        assert sum(DaySum.objects.values_list("runs", flat=True)) == ended

    report()

    assert seen == {202, 422}
