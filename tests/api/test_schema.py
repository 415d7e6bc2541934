"""The API keeps to its own description: whatever is sent, the answer is one that it names."""

import json

import schemathesis
from django.core.cache import cache
from hypothesis import HealthCheck, assume, settings
from schemathesis import Case

from backups.models import DaySum, Run
from dashboard.api import api
from dashboard.wsgi import application
from tests.api.conftest import Agent

# As its readers get it: through JSON.
TEXT = json.dumps(api.get_openapi_schema(path_prefix="/api/"))
DESCRIBED = schemathesis.openapi.from_dict(json.loads(TEXT))
DESCRIBED.app = application


@DESCRIBED.parametrize()
@settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_a_door_answers_as_it_says(agent: Agent, case: Case) -> None:
    """What fits is taken, what does not is refused, and the days add up in between."""
    cache.clear()
    if case.path == "/api/output":
        # They belong together, which no description of parameters can say.
        assume(("ended" in case.query) == ("exit" in case.query))
    # The client of these tests unpacks no answer.
    headers = {"Authorization": f"Bearer {agent.key}", "Accept-Encoding": "identity"}
    case.call_and_validate(headers=headers, base_url="http://127.0.0.1")

    ended = Run.objects.filter(finished__isnull=False).count()
    assert sum(DaySum.objects.values_list("runs", flat=True)) == ended
