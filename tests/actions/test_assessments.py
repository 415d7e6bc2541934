"""Assessments: a report is written at once, and systemd is asked by a worker."""

from datetime import timedelta
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


SECURITY = (SAMPLES / "seed.252.online.debug2.json").read_text()


def report(host, text=TEXT, **fields):
    told = {"mode": "online", "security": SECURITY, "systemd": "252"} | fields
    told = UnitReport("seed.service", text, **told)
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


def test_a_score_that_can_be_read_again_takes_its_reproach_back():
    host = make_host()
    report(host)

    assert "cut off" in report(host, security=SECURITY[:5000]).finding
    assert report(host).finding == ""


def test_a_user_whom_only_the_host_can_miss_is_a_finding_until_it_has_one():
    host, text = make_host(), f"{TEXT}User=ghost\nGroup=%p\n"
    assert codes(report(host, text)) == []

    unit = report(host, text, unknown_users=("ghost", "seed"))

    assert codes(unit) == ["unknown-user", "unknown-user"]
    assert "217/USER" in unit.finding
    # systemd knows nothing of it, and takes nothing of it back.
    ask_systemd.call(unit.pk)
    unit.refresh_from_db()
    assert set(codes(unit)) == {"unknown-key", "unknown-user"}
    assert "217/USER" in unit.finding
    assert unit.assessments.count() == 2
    report(host, text, unknown_users=("ghost", "seed"))
    assert unit.assessments.count() == 2
    assert codes(report(host, text)) == []
    assert report(host, text).finding == ""


def test_a_change_has_the_moment_that_its_host_tells_where_that_can_be():
    host, now = make_host(), timezone.now()
    report(host)
    Unit.objects.update(seen=now - timedelta(hours=1), text_known=now - timedelta(days=9))
    inside, before = now - timedelta(minutes=20), now - timedelta(hours=2)

    assert report(host, f"{TEXT}# 1\n", changed=inside).text_changed == inside
    # A file that was copied with its time, or a clock that is wrong, says nothing.
    for number, moment in enumerate((before, now + timedelta(hours=1), None)):
        changed = report(host, f"{TEXT}# 2{number}\n", changed=moment).text_changed
        assert now <= changed <= timezone.now()


def test_a_text_that_waited_for_a_reload_counts_from_there():
    host, now = make_host(), timezone.now()
    report(host)
    assert report(host, f"{TEXT}# 1\n", needs_reload=True).text_changed >= now
    Unit.objects.update(seen=now - timedelta(hours=1), text_changed=now - timedelta(hours=1))

    loaded = now - timedelta(minutes=5)

    assert report(host, f"{TEXT}# 1\n", changed=loaded).text_changed == loaded
