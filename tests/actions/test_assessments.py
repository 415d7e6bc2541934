"""Assessments: a report is written at once, and systemd is asked by a worker."""

from pathlib import Path

import pytest
from django.utils import timezone
from django_tasks_db.models import DBTaskResult

from backups.actions.assessments import ask_systemd
from backups.actions.hosts import HostFacts
from backups.actions.reports import UnitReport, record_report
from backups.engines import systemd_score
from backups.models import Host, Unit
from tests.factories import make_host

pytestmark = pytest.mark.django_db

SAMPLES = Path(__file__).parents[1] / "samples" / "systemd"
TEXT = "[Service]\nType=oneshot\nExecStart=/usr/bin/restic backup /home\nProtectSytem=strict\n"


def report(host, text=TEXT):
    security = (SAMPLES / "seed.252.online.debug2.json").read_text()
    told = UnitReport("seed.service", text, mode="online", security=security, systemd="252")
    record_report(host, sent=timezone.now(), facts=HostFacts(systemd="252"), units=(told,))
    return Unit.objects.get()


def codes(unit):
    return [code for code, *_ in unit.assessments.first().findings]


def test_a_report_runs_no_other_program(monkeypatch):
    monkeypatch.setattr(systemd_score, "_run", lambda *_: pytest.fail("a program was run"))

    unit = report(make_host(), TEXT + "RestrictAddressFamilies=yes\n")

    # What needs no systemd is said at once.
    assert codes(unit) == ["poisoned-allow-list"]
    assert unit.finding.startswith("systemd ignores `yes`")


def test_a_worker_adds_what_systemd_itself_warns_of():
    unit = report(make_host())
    assert codes(unit) == []
    [waiting] = DBTaskResult.objects.filter(task_path=ask_systemd.module_path)
    assert waiting.queue_name == "checks"

    ask_systemd.call(*waiting.args_kwargs["args"])

    assert codes(unit) == ["unknown-key"]


def test_one_turn_is_enough_for_the_same_unit_told_twice():
    host = make_host()
    report(host)
    report(host)

    assert DBTaskResult.objects.filter(task_path=ask_systemd.module_path).count() == 1


def test_a_unit_that_changed_or_went_meanwhile_is_left_alone():
    unit = report(make_host())
    Unit.objects.update(text="[Service]\nExecStart=/bin/other\nProtectHome=yes\n")

    ask_systemd.call(unit.pk)
    ask_systemd.call(10**9)

    assert codes(unit) == []


def test_of_the_lines_of_a_newer_systemd_this_one_is_not_asked():
    unit = report(make_host())
    Host.objects.update(systemd="999")

    ask_systemd.call(unit.pk)

    assert codes(unit) == []


def test_what_systemd_refuses_keeps_our_own_findings():
    unit = report(make_host(), "[Service]\nRestrictAddressFamilies=yes\n")

    ask_systemd.call(unit.pk)

    assert codes(unit) == ["poisoned-allow-list"]
