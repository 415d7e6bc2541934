"""Reports of a host that somebody has taken over: refused or shown as text, never a broken page."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client

from backups.actions import hosts
from backups.engines.redaction import redact
from backups.engines.restic import parse_output
from backups.models import Run, Unit

Report = Callable[..., HttpResponse]
HOSTILE = "\x1b[31m<script>alert(1)</script>\"'{{ 7*7 }}\u202e\x9b2J\x07"


@pytest.fixture
def report(operator: Any) -> Report:
    new = hosts.add_host("web-1", by="test")
    _, key = hosts.enrol_host(new.token, hosts.HostFacts())
    client = Client(raise_request_exception=False)

    def send(body: object = None, **fields: Any) -> HttpResponse:
        whole = {"sent": datetime.now(UTC).isoformat(), "host": {}, "runs": [], "units": []}
        text = body if isinstance(body, str | bytes) else json.dumps(whole | fields)
        bearer = {"Authorization": f"Bearer {key}"}
        return client.post("/api/reports", text, "application/json", headers=bearer)

    return send


def run(**fields: Any) -> dict[str, Any]:
    ended = datetime.now(UTC)
    defaults = {
        "key": "ab" * 16,
        "job": "restic-backup",
        "arguments": ["restic", "backup"],
        "started": (ended - timedelta(minutes=2)).isoformat(),
        "finished": ended.isoformat(),
        "exit_code": 0,
        "result": "success",
    }
    return defaults | fields


def unit(security: object, **fields: Any) -> dict[str, Any]:
    text = security if isinstance(security, str) else json.dumps(security)
    return {"name": "restic.service", "mode": "online", "security": text, "systemd": "252"} | fields


def row(**fields: Any) -> dict[str, Any]:
    defaults = {"set": True, "name": "User=", "json_field": "User", "description": "Runs as root"}
    return defaults | {"weight": 100, "badness": 1, "range": 1} | fields


@pytest.mark.parametrize(
    "body",
    [
        "",
        "null",
        "NaN",
        '{"sent": 1e999}',
        "[" * 100_000,
        '{"a":' * 50_000,
        '{"\\ud800": 1}',
        '{"sent": "\\ud800", "host": {}}',
        '{"host": {"os": "\\ud800"}}',
        "9" * 10_000,
        b"\xff\xfe\x00",
        b"\x1f\x8b\x08\x00",
    ],
)
def test_what_is_no_report_is_refused(report: Report, body: str | bytes) -> None:
    assert report(body).status_code in {400, 422}


@pytest.mark.parametrize(
    "fields",
    [
        {"exit_code": 10**30},
        {"exit_code": -1},
        {"exit_code": float("nan")},
        {"started": "0001-01-01T00:00:00+14:00"},
        {"started": "9999-12-31T23:59:59-14:00"},
        {"started": 10**30},
        {"started": "NaN"},
        {"finished": "9999-12-31T23:59:59Z"},
        {"job": "a\nb"},
        {"job": "\x9b2J"},
        {"job": "x" * 300},
        {"unit": "../../etc/x.service"},
        {"key": "../x"},
        {"host": "another"},
    ],
)
def test_a_run_that_cannot_be_is_refused(report: Report, fields: dict[str, Any]) -> None:
    assert report(runs=[run(**fields)]).status_code == 422
    assert not Run.objects.exists()


@pytest.mark.parametrize(
    "summary",
    [
        {"total_duration": float("inf"), "data_added": -1, "files_new": 1e308},
        {
            "total_duration": -9223372036.85,
            "total_bytes_processed": 2**63 - 1,
            "data_added": 2**200,
        },
        {"snapshot_id": HOSTILE, "data_added": "many", "files_new": None},
        {"snapshot_id": "\ud800" * 20, "total_duration": 1e300, "data_added": 2**63 - 1},
    ],
)
def test_no_number_of_a_host_breaks_a_page(
    report: Report, client: Client, summary: dict[str, Any]
) -> None:
    line = json.dumps({"message_type": "summary"} | summary)
    for name in ("one", "two", "three"):
        assert report(runs=[run(job=name, key=f"{len(name):032x}", output=line)]).status_code == 202

    pk = Run.objects.latest("pk").pk
    for page in ("/", "/runs/", f"/runs/{pk}/", "/hosts/", "/hosts/web-1/"):
        assert client.get(page).status_code == 200, page


def test_times_that_run_backwards_break_no_page(report: Report, client: Client) -> None:
    now = datetime.now(UTC)
    odd = [
        run(key="1" * 32, started="2199-12-31T00:00:00Z", finished="2000-01-01T00:00:00Z"),
        run(key="2" * 32, started="2000-01-01T00:00:00Z", finished="2199-12-31T00:00:00Z"),
        run(key="3" * 32, started=now.isoformat(), finished=None),
    ]
    timer = {"name": "restic-backup.timer", "next": "2199-12-31T00:00:00Z", "schedule": HOSTILE}
    units = [unit("", name="restic-backup.service", timer=timer)]

    assert report(sent="2199-12-31T00:00:00Z", runs=odd, units=units).status_code == 202

    pages = ["/", "/runs/", "/hosts/", "/hosts/web-1/", "/hardening/"]
    for page in pages + [f"/runs/{pk}/" for pk in Run.objects.values_list("pk", flat=True)]:
        assert client.get(page).status_code == 200, page


def test_what_a_host_says_is_shown_as_text(report: Report, client: Client) -> None:
    error = {"message_type": "error", "item": HOSTILE, "error": {"message": HOSTILE}}
    told = run(
        job="<b>job</b>",
        arguments=[HOSTILE],
        repository=HOSTILE,
        result="<b>",
        signal="<i>",
        restic="<u>",
        exit_code=1,
        output=f"{json.dumps(error)}\n{HOSTILE}",
    )
    facts = dict.fromkeys(("hostname", "os", "kernel", "systemd", "restic"), HOSTILE)
    hostile_row = row(name=HOSTILE, json_field=HOSTILE, description=HOSTILE)
    shown = unit([hostile_row], text=f"[Service]\n{HOSTILE}=1\nUser={HOSTILE}\n", systemd=HOSTILE)

    assert report(host=facts, runs=[told], units=[shown]).status_code == 202

    pk = Run.objects.get().pk
    for page in (
        "/",
        "/runs/",
        f"/runs/{pk}/",
        "/hosts/web-1/",
        "/hardening/web-1/restic.service/",
    ):
        html = client.get(page).content.decode()
        for tag in ("<script>alert", "<b>job", "<i>", "<u>"):
            assert tag not in html, (page, tag)


@pytest.mark.parametrize(
    "security",
    [
        [{"unit": [], "exposure": "1.0"}],
        [{"unit": {}, "exposure": []}],
        [row(json_field="\ud800", name="\x00", description="\ud800\x00")],
        [row(json_field="\ud800", badness=5)],
        [row(weight=10**30)],
        [row(range=0)],
        [row(badness=-1)],
        [row(weight=10**6, range=10**6, badness=10**6)] * 500,
        "[" * 50_000,
        "[]" * 50_000,
        "→ Overall exposure level for restic.service: 9.9 x",
    ],
)
def test_an_assessment_that_cannot_be_breaks_nothing(
    report: Report, client: Client, security: object
) -> None:
    assert report(units=[unit(security)]).status_code == 202

    assert Unit.objects.get().exposure in {None, 100}
    for page in ("/", "/hardening/", "/hardening/web-1/restic.service/", "/hosts/web-1/"):
        response = client.get(page)

        assert response.status_code == 200, page
        assert "\x00" not in response.content.decode()


@pytest.mark.parametrize(
    "text",
    [
        "://" + "." * 250_000 + ":x@",
        "://a:***@" * 25_000 + "b@",
        "://" * 80_000 + "a:b@",
        "a://b.c:1" * 25_000 + "@",
        "A" * 250_000 + "PASSWORD=",
        "PASSWORD" * 30_000,
        "authorization:" * 15_000,
        'invalid port "' * 15_000,
        '{"a": "' + "://x.y:1" * 30_000 + '@"}',
        "error: " * 30_000,
        "\x1b[" + "0" * 250_000,
        "\r" * 250_000,
    ],
    ids=lambda text: repr(text[:14]),
)
def test_no_text_is_read_for_ever(text: str) -> None:
    """Milliseconds where the work grows with the text; hours where it grows with its square."""
    assert redact(text)
    assert len(parse_output(text).lines) <= 400


def test_a_report_of_many_megabytes_is_refused_before_it_is_read(report: Report) -> None:
    assert report(" " * (8 * 1024 * 1024 + 1)).status_code == 413
