"""What an agent may rely on when it speaks to the API, and what nobody else may do."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.test import Client
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from backups.actions import hosts
from backups.engines.certificates import make_authority
from backups.models import Event, Host, Job, Run, Unit
from tests.api.conftest import FACTS, Agent, run_report

TOKEN_REFUSED = "This token is unknown, used or too old. The host's page gives a new one."


def enrol(token: str) -> tuple[int, dict[str, str]]:
    body = json.dumps({"token": token, "host": FACTS})
    answer = Client().post("/api/enrol", body, content_type="application/json")
    return answer.status_code, answer.json()


def test_a_token_gives_a_key_once() -> None:
    new = hosts.add_host("web-1", by="test")

    status, answer = enrol(new.token)

    assert (status, answer["host"]) == (201, "web-1")
    assert Agent(new.host, answer["key"]).report().status_code == 202
    assert enrol(new.token) == (403, {"detail": TOKEN_REFUSED})


@pytest.mark.parametrize("what", ["is a day old", "of a deleted host", "was revoked", "is empty"])
def test_a_token_that_is_worth_nothing_gives_no_key(what: str) -> None:
    new = hosts.add_host("web-1", by="test")
    token, now = new.token, timezone.now()
    if what == "is a day old":
        now += hosts.TOKEN_LASTS + timedelta(seconds=1)
    elif what == "of a deleted host":
        hosts.delete_host(new.host, by="test")
    elif what == "was revoked":
        hosts.revoke_key(new.host, by="test")
    else:
        token = ""

    with time_machine.travel(now, tick=False):
        assert enrol(token) == (403, {"detail": TOKEN_REFUSED})


def test_a_second_enrolment_ends_the_first_key(agent: Agent) -> None:
    new = hosts.renew_token(agent.host, by="test")
    assert agent.report().status_code == 202

    assert enrol(new.token)[0] == 201

    assert agent.report().status_code == 401


@pytest.mark.parametrize("what", ["revoked", "deleted", "wrong"])
def test_without_a_good_key_nothing_is_told_or_written(agent: Agent, what: str) -> None:
    key = agent.key
    if what == "revoked":
        hosts.revoke_key(agent.host, by="test")
    elif what == "deleted":
        hosts.delete_host(agent.host, by="test")
    else:
        key = "k" * 43

    refused = agent.post("reports", {"sent": "now"}, key=key)
    asked = agent.client.get("/api/key", headers={"Authorization": f"Bearer {key}"})

    assert [(refused.status_code, list(refused.json())), asked.status_code] == [
        (401, ["detail"]),
        401,
    ]


def test_a_key_that_is_revoked_while_its_report_is_written_stays_revoked(agent: Agent) -> None:
    known_before = hosts.host_of_key(agent.key)
    hosts.revoke_key(agent.host, by="test")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(hosts, "host_of_key", lambda key: known_before)
        answer = agent.report(run_report())

    assert answer.status_code == 401
    assert Host.objects.get().key_hash == ""
    assert not Run.objects.exists()


def test_a_host_writes_only_of_itself(enrolled: Callable[[str], Agent]) -> None:
    first, second = enrolled("web-1"), enrolled("web-2")
    first.report(run_report())

    second.report(run_report(exit_code=1, result="exit-code", output="Fatal: no"))

    told = Run.objects.order_by("job__host__name").values_list("job__host__name", "exit_code")
    assert list(told) == [("web-1", 0), ("web-2", 1)]


@pytest.mark.parametrize(
    ("fields", "detail"),
    [
        ({"host_name": "web-2"}, "host_name: Extra inputs are not permitted"),
        ({"sent": "yesterday"}, "sent: Input should be a valid datetime"),
        ({"sent": "2026-11-23T02:00:00"}, "sent: Input should have timezone info"),
        ({"sent": "0001-01-01T00:00:00+05:00"}, "sent: Value error, the year must be between"),
        ({"runs": [run_report(key="../../etc")]}, "runs.0.key: String should match pattern"),
        ({"runs": [run_report(exit_code=-9)]}, "runs.0.exit_code: Input should be greater"),
        ({"units": [{"name": "a.service", "mode": "guess"}]}, "units.0.mode: Input should be"),
        ({"runs": [run_report(output="x" * 300_000)]}, "runs.0.output: String should have at most"),
        ({"runs": [run_report(trust="x" * 70_000)]}, "runs.0.trust: String should have at most"),
        ({"runs": [run_report(trust=["x"])]}, "runs.0.trust: Input should be a valid string"),
    ],
)
def test_what_is_no_report_is_refused_whole_and_says_where(
    agent: Agent, fields: dict[str, object], detail: str
) -> None:
    before = Host.objects.values().get()
    body = {"sent": datetime.now(UTC).isoformat(), "host": FACTS, "runs": [run_report()]}

    answer = agent.post("reports", body | fields)

    assert (answer.status_code, answer.json()["detail"][: len(detail)]) == (422, detail)
    assert Host.objects.values().get() == before
    assert not Run.objects.exists()


def test_a_refusal_repeats_no_value(agent: Agent) -> None:
    answer = agent.report(run_report(key="a-secret-in-the-wrong-place", timezone="s3cret"))

    assert answer.status_code == 422
    assert "secret" not in answer.content.decode()
    assert "s3cret" not in answer.content.decode()


@pytest.mark.parametrize(("body", "status"), [("x" * (9 * 1024 * 1024), 413), ("{", 400)])
def test_what_is_too_large_or_no_json_is_refused_in_words(
    agent: Agent, body: str, status: int
) -> None:
    answer = agent.post("reports", body)

    assert (answer.status_code, list(answer.json())) == (status, ["detail"])


TEXT = st.text(max_size=300)
MOMENTS = st.datetimes(
    datetime(1990, 1, 1), datetime(2300, 1, 1), timezones=st.sampled_from([UTC])
).map(datetime.isoformat)
JSON_LINES = st.dictionaries(
    st.sampled_from(["message_type", "snapshot_id", "files_new", "percent_done", "item", "code"]),
    st.one_of(st.sampled_from(["summary", "status", "error"]), st.integers(), st.floats(), TEXT),
).map(json.dumps)
NAMES = st.sampled_from(["a.service", "a@b.service", "", "a/b.service", ".."])
RUNS = st.fixed_dictionaries(
    {"key": st.just("f" * 32), "job": st.just("home") | TEXT, "started": MOMENTS},
    optional={
        "unit": NAMES,
        "arguments": st.lists(TEXT, max_size=3),
        "repository": TEXT,
        "finished": st.none() | MOMENTS,
        "exit_code": st.none() | st.integers(-1, 300),
        "signal": TEXT,
        "output": TEXT | JSON_LINES,
        "restic": TEXT,
        "trust": st.none() | TEXT | TEXT.map("-----BEGIN CERTIFICATE-----{}".format),
    },
)
UNITS = st.fixed_dictionaries(
    {"name": NAMES},
    optional={
        "text": TEXT,
        "mode": st.sampled_from(["online", "text", ""]),
        "security": TEXT | JSON_LINES,
        "systemd": TEXT,
    },
)


@given(run=RUNS, unit=UNITS, os=TEXT)
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_no_report_breaks_the_house(
    agent: Agent, run: dict[str, object], unit: dict[str, object], os: str
) -> None:
    answer = agent.report(run, units=[unit], host=FACTS | {"os": os})

    assert answer.status_code in {202, 422, 429}
    for model in (Host, Job, Run, Unit):
        for row in model.objects.all():
            row.clean_fields()


def test_what_a_job_trusts_is_learnt_and_an_older_agent_need_not_say(agent: Agent) -> None:
    chain = make_authority("House CA").chain
    agent.report(run_report(), run_report(key="1" * 32, job="etc", trust=chain))
    agent.report(run_report(key="2" * 32, job="home", trust=""))

    known = Job.objects.order_by("name").values_list("name", "trusted", "is_trust_known")
    assert list(known) == [("etc", chain, True), ("home", "", True), ("restic-backup", "", False)]


@pytest.mark.parametrize("part", ["-----BEGIN A-----", "-----BEGIN CERTIFICATE-----", "\n", "-"])
def test_whatever_comes_as_certificates_costs_no_report(agent: Agent, part: str) -> None:
    trust = (part * 65_536)[:65_536]

    answer = agent.report(*(run_report(key=f"{n:032x}", trust=trust) for n in range(60)))

    assert answer.status_code == 202
    assert not Job.objects.get().is_trust_known


def test_who_asks_too_often_is_told_so_and_no_other_host_suffers(
    enrolled: Callable[[str], Agent],
) -> None:
    eager, other = enrolled("web-1"), enrolled("web-2")

    statuses = [eager.report().status_code for _ in range(121)]

    assert statuses == [202] * 120 + [429]
    assert other.report().status_code == 202


def test_tokens_cannot_be_tried_out() -> None:
    assert [enrol(f"guess-{number}")[0] for number in range(21)] == [403] * 20 + [429]


def test_no_token_or_key_is_kept_or_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(0)
    new = hosts.add_host("web-1", by="test")
    _, answer = enrol(new.token)
    Agent(new.host, answer["key"]).report()

    told = [caplog.text, repr(new), repr(Host.objects.values().get())]
    told += [repr(event.__dict__) for event in Event.objects.all()]
    secrets = [new.token, answer["key"]]
    assert [secret for secret in secrets if any(secret in text for text in told)] == []


def test_the_openapi_document_lists_every_route(client: Client) -> None:
    document = client.get("/api/openapi.json").json()

    assert {path: list(verbs) for path, verbs in document["paths"].items()} == {
        "/api/enrol": ["post"],
        "/api/reports": ["post"],
        "/api/output": ["post"],
        "/api/key": ["get"],
        "/api/users": ["get", "post"],
        "/api/users/export": ["get"],
        "/api/users/import": ["post"],
        **{
            f"/api/users/{verb}": ["post"]
            for verb in ("rotate", "disable", "enable", "expire", "note", "delete")
        },
    }
    schemes = document["components"]["securitySchemes"]
    assert {scheme["scheme"] for scheme in schemes.values()} == {"bearer"}


def test_the_documentation_opens_without_a_session_and_from_this_house_alone(
    live_server: LiveServer, page: Page
) -> None:
    page.goto(f"{live_server.url}/api/docs")

    expect(page.get_by_role("link", name="/api/enrol")).to_be_visible()
