"""Accepted risks: a reason, an end, a policy that systemd-analyze reads, a month's report."""

import json
import shutil
import subprocess
from datetime import datetime, timedelta

import pytest
from django.utils import timezone

from backups.actions.risks import accept_risk
from backups.engines.errors import EngineError
from backups.models import AcceptedRisk, Event, Unit
from backups.queries.hardening_rows import COULD
from backups.queries.policy import policy_json
from tests.factories import make_assessment, make_host, make_unit
from tests.rig import missing
from tests.views.pages import html_of

PLAIN = "[Service]\nType=oneshot\nExecStart=/usr/bin/restic backup /home\n"
ROWS = [
    ["PrivateNetwork", False, 2500, 1, 1, "x"],
    ["ProtectHome", False, 1000, 10, 10, "x"],
    ["UMask", True, 100, 0, 10, "x"],
]
TODAY = timezone.localdate


@pytest.fixture
def unit(db: None) -> Unit:
    unit = make_unit(make_host(name="web"), name="restic.service", text=PLAIN)
    make_assessment(unit, rows=ROWS)
    return unit


def accepted(field="PrivateNetwork", days=30, **fields):
    until = TODAY() + timedelta(days=days)
    return accept_risk(field, reason="It must reach its server.", until=until, by="test", **fields)


def test_create_accepts_a_row_of_one_unit_with_reason_author_and_end(client, unit):
    page = client.get("/hardening/risks/web/restic.service/new/")
    # Only what stands open can be accepted.
    assert [value for value, _ in page.context["form"].fields["field"].choices] == [
        "PrivateNetwork",
        "ProtectHome",
    ]

    until = TODAY() + timedelta(days=30)
    data = {"field": "PrivateNetwork", "scope": "unit", "reason": "So it is.", "until": until}
    answer = client.post("/hardening/risks/web/restic.service/new/", data)

    assert answer["Location"] == unit.get_absolute_url()
    risk = AcceptedRisk.objects.get()
    assert (risk.unit, risk.by_name, risk.until) == (unit, "ines", until)
    assert Event.objects.get(noun="risk").sentence.endswith("So it is.")
    html = html_of(client.get(unit.get_absolute_url()))
    assert "1 risk accepted here" in html
    assert "So it is." in html


@pytest.mark.parametrize(
    "change",
    [
        {"reason": " "},
        {"until": ""},
        {"until": "2020-01-01"},
        {"until": "2999-01-01"},
        {"field": "UMask"},
        {"scope": "world"},
    ],
)
def test_create_refuses_what_is_no_decision(client, unit, change):
    data = {"field": "PrivateNetwork", "scope": "unit", "reason": "x", "until": TODAY()}

    answer = client.post("/hardening/risks/web/restic.service/new/", data | change)

    assert answer.status_code == 422
    assert answer.context["form"].errors
    assert not AcceptedRisk.objects.exists()


def test_accepted_again_the_newer_word_counts(unit):
    accepted(unit=unit)
    accepted(unit=unit, days=60)
    accepted()
    accepted(days=90)

    assert AcceptedRisk.objects.count() == 2
    with pytest.raises(EngineError, match="no row"):
        accepted("ExecStart")


def test_a_unit_shows_the_score_of_the_house_beside_systemds(client, unit):
    if not shutil.which("systemd-analyze"):
        missing("apt-get install systemd, for systemd-analyze.")
    assert client.get(unit.get_absolute_url()).context["standing"].by_policy is None

    accepted()
    accepted("UserOrDynamicUser", unit=unit)

    page = client.get(unit.get_absolute_url())
    assert page.context["standing"].by_policy.exposure == 95
    assert "House policy" in html_of(page)


def test_what_ran_out_counts_again_and_is_said(client, unit):
    risk = accepted(unit=unit)
    AcceptedRisk.objects.update(until=TODAY() - timedelta(days=1))

    page = client.get("/hardening/risks/")

    assert "Ran out" in html_of(page)
    assert client.get(unit.get_absolute_url()).context["standing"].by_policy is None
    assert client.post(f"/hardening/risks/{risk.pk}/delete/")["Location"] == "/hardening/risks/"
    assert not AcceptedRisk.objects.exists()
    assert Event.objects.filter(verb="took back").count() == 1


def test_policy_is_read_by_systemd_analyze_itself(client, unit, tmp_path):
    if not shutil.which("systemd-analyze"):
        missing("apt-get install systemd, for systemd-analyze.")
    stray = "CapabilityBoundingSet_CAP_NET_BIND_SERVICE_BROADCAST_RAW"
    accepted()
    accepted(stray)
    accepted("ProtectHome", unit=unit)

    file = client.get("/hardening/risks/policy/")
    (tmp_path / "house.policy").write_bytes(file.content)
    (tmp_path / "a.service").write_text(PLAIN)
    analyze = ["systemd-analyze", "security", "--offline=true", "--no-pager"]
    said = subprocess.run(
        [*analyze, "--security-policy=house.policy", "./a.service"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )

    # What one unit alone is forgiven is no policy of the house.
    assert set(json.loads(file.content)) == {"PrivateNetwork", stray, f"{stray})"}
    assert said.stdout.count("Option excluded by policy") == 2


def test_every_row_can_be_left_out(unit):
    risks = [AcceptedRisk(field=field) for field in COULD]

    assert len(json.loads(policy_json(risks))) == len(COULD) + 1


def test_month_reports_each_unit_with_its_change(client, unit):
    make_assessment(unit, exposure=15, level="OK")
    accepted(unit=unit)
    Unit.objects.update(finding="=cmd()")

    html = html_of(client.get("/hardening/risks/month/"))
    table = client.get("/hardening/risks/month/?format=csv").content.decode().splitlines()

    assert "1 unit got better in <b>" in html
    assert "The median went from 9.6 to 1.5; 0 of 1 stood too open at its end, 1 of 1" in html
    # Who accepted what, why and until when belongs into the report.
    assert COULD["PrivateNetwork"] in html
    assert "It must reach its server." in html
    assert "Take back" not in html
    assert table[1] == "web,restic.service,9.6,1.5,2,1,'=cmd()"
    for month in ("2020-01", "nonsense", "9999-12", "0001-01"):
        assert client.get(f"/hardening/risks/month/?month={month}").status_code == 200
    assert "No unit had a score" in html_of(client.get("/hardening/risks/month/?month=2020-01"))


def test_risks_are_for_who_signed_in(client, stranger, unit):
    for path in ("", "policy/", "month/", "web/restic.service/new/"):
        assert "/account/login/" in stranger.get(f"/hardening/risks/{path}")["Location"]
    assert client.get("/hardening/risks/web/other.service/new/").status_code == 404
    assert client.get("/hardening/risks/1/delete/").status_code == 405


def test_index_of_no_risk_says_so(client):
    assert "No risk is accepted" in html_of(client.get("/hardening/risks/"))


def test_month_begins_where_the_house_begins_it_and_leaves_retired_hosts_out(client, settings):
    settings.TIME_ZONE = "Pacific/Auckland"
    timezone.deactivate()
    zone = timezone.get_default_timezone()
    for name, day, hour in (("sooner", 30, 23), ("later", 1, 1)):
        unit = make_unit(make_host(name=name), name="restic.service")
        month = 9 if day == 30 else 10
        make_assessment(unit, exposure=50, at=datetime(2026, 8, 1, tzinfo=zone))
        make_assessment(unit, exposure=40, at=datetime(2026, month, day, hour, tzinfo=zone))
    gone = make_host(name="gone", retired=datetime(2026, 9, 15, tzinfo=zone))
    make_assessment(make_unit(gone), exposure=96, at=datetime(2026, 8, 1, tzinfo=zone))

    def changed(month):
        report = client.get(f"/hardening/risks/month/?month={month}").context["report"]
        return [[each.unit.host.name for each in part] for part in (report.changed, report.steady)]

    assert changed("2026-08") == [["gone", "later", "sooner"], []]
    assert changed("2026-09") == [["sooner"], ["gone", "later"]]
    assert changed("2026-10") == [["later"], ["sooner"]]


def test_month_does_not_praise_a_score_that_only_looks_better(client):
    def scored(name, *exposures, findings=()):
        unit = make_unit(make_host(name=name))
        for number, exposure in enumerate(exposures, start=1):
            at = timezone.now() - timedelta(seconds=60 - number)
            make_assessment(unit, exposure=exposure, at=at, findings=list(findings))

    def answer():
        return client.get("/hardening/risks/month/").context["report"].answer

    assert answer() == "No unit had a score"
    scored("same", 40, 40)
    assert answer() == "No score changed"
    scored("poisoned", 53, 46, findings=[["poisoned-allow-list", "error", 4, "It denies.", ""]])
    assert answer() == "1 unit only looks better"
    scored("warned", 53, 46, findings=[["ignored-value", "warning", 4, "Ignored.", ""]])
    scored("good", 96, 15)
    scored("bad", 15, 96)
    assert answer() == "2 units got better, 1 got worse, 1 only looks better"
