"""A better score is only better if the backup still holds everything."""

from datetime import timedelta

import pytest
from django.utils import timezone

from backups.actions.assessments import prove
from backups.models import Run, Unit
from backups.queries.proofs import ALARM, proof_of
from tests.factories import make_assessment, make_host, make_job, make_run, make_unit

pytestmark = pytest.mark.django_db

NOW = timezone.now()
TEXT = """\
[Service]
ExecStart=/usr/bin/restic backup /home
ProtectHome=yes
RestrictAddressFamilies=AF_UNIX
SystemCallFilter=@system-service
IPAddressDeny=any
ProtectSystem=strict
PrivateTmp=no
"""


def changed(text=TEXT, *, before=96, after=14, earlier=3) -> Unit:
    """A unit that was changed an hour ago, with runs before that."""
    unit = make_unit(make_host(), text=text)
    job = make_job(unit.host, unit=unit)
    make_assessment(unit, exposure=before, at=NOW - timedelta(days=9))
    make_assessment(unit, exposure=after, at=NOW - timedelta(hours=1))
    for day in range(1, earlier + 1):
        backed_up(job, files=1000 + day, at=NOW - timedelta(days=day))
    return Unit.objects.select_related("job", "host").get()


def backed_up(job, *, files=1000, at=NOW, **fields):
    return make_run(job, started=at, files_processed=files, bytes_processed=files * 10**6, **fields)


def proof(unit):
    return proof_of(unit, list(unit.assessments.all()))


def test_nothing_is_proven_of_what_never_changed_or_backs_nothing_up():
    unit = make_unit(make_host())
    make_assessment(unit)
    assert proof(unit) is None

    make_assessment(unit, exposure=15)
    assert proof(Unit.objects.get()) is None


def test_until_the_next_run_it_says_what_will_be_compared():
    unit = changed()
    backed_up(unit.job, status=Run.Status.RUNNING)

    found = proof(unit)

    assert (found.state, found.run) == ("off", None)
    assert [(held.name, held.low, held.high) for held in found.held] == [
        ("files", 1001, 1003),
        ("bytes", 1001 * 10**6, 1003 * 10**6),
    ]


@pytest.mark.parametrize("files", [960, 1000, 5000])
def test_a_run_that_holds_as_much_verifies_the_change(files):
    unit = changed()
    backed_up(unit.job, files=files)

    found = proof(unit)

    assert (found.state, found.before.exposure, found.after.exposure) == ("ok", 96, 14)
    assert not found.is_alarm


def test_a_better_score_with_fewer_files_is_an_alarm_and_names_the_line():
    unit = changed()
    backed_up(unit.job, files=700)

    found = proof(unit)

    assert found.is_alarm
    assert found.headline == "Since the change, files are missing"
    assert (found.take_back.key, found.take_back.line) == ("ProtectHome", 3)


def test_fewer_files_with_a_worse_score_are_wrong_but_no_alarm():
    unit = changed(after=97)
    backed_up(unit.job, files=700)

    assert (proof(unit).state, proof(unit).is_alarm) == ("failed", False)


@pytest.mark.parametrize(
    ("fields", "key"),
    [
        ({"log": "socket: address family not supported by protocol"}, "RestrictAddressFamilies"),
        ({"log": "Get https://192.0.2.10/: i/o timeout"}, "IPAddressDeny"),
        ({"log": "/tmp/restic-temp-pack-1: read-only file system"}, "ProtectSystem"),
        ({"signal": "SYS"}, "SystemCallFilter"),
        ({"log": "something else"}, None),
    ],
)
def test_a_run_that_failed_names_the_likeliest_line(fields, key):
    unit = changed()
    backed_up(unit.job, status=Run.Status.FAILED, exit_code=1, **fields)

    found = proof(unit)

    assert found.state == "failed"
    assert (found.take_back.key if found.take_back else None) in {key, "ProtectHome"}
    if key:
        assert found.take_back.key == key


def test_files_that_cannot_be_read_are_no_proof():
    unit = changed()
    backed_up(unit.job, status=Run.Status.WARNING, exit_code=3)

    assert proof(unit).headline == "Since the change, files cannot be read"


def test_a_later_good_run_counts_more_than_an_earlier_bad_one():
    unit = changed()
    backed_up(unit.job, files=10, at=NOW - timedelta(minutes=30))
    backed_up(unit.job, at=NOW)

    assert proof(unit).state == "ok"


def test_a_run_between_the_change_and_its_report_counts_as_after_it():
    unit = changed()
    unit.text_changed = NOW - timedelta(hours=2)
    unit.save()
    backed_up(unit.job, files=700, at=NOW - timedelta(minutes=90))

    found = proof(unit)

    assert (found.is_alarm, found.changed) == (True, unit.text_changed)


def test_what_is_not_loaded_yet_is_proven_by_no_run():
    unit = changed()
    unit.needs_reload, unit.text_changed = True, NOW - timedelta(hours=1)
    unit.save()
    backed_up(unit.job, at=NOW - timedelta(minutes=30))

    assert (proof(unit).state, proof(unit).run) == ("off", None)
    assert "daemon-reload" in proof(unit).headline

    # The score that counts is the one that it has since then.
    text_hash = unit.assessments.first().text_hash
    make_assessment(unit, exposure=13, text_hash=text_hash, at=NOW - timedelta(minutes=20))
    Unit.objects.update(needs_reload=False, text_changed=NOW - timedelta(minutes=20))
    unit = Unit.objects.select_related("job").get()
    assert (proof(unit).run, proof(unit).after.exposure) == (None, 13)
    backed_up(unit.job)
    assert proof(unit).state == "ok"


def test_a_further_change_does_not_make_the_loss_of_the_first_the_measure():
    unit = changed()
    backed_up(unit.job, files=700, at=NOW - timedelta(minutes=50))
    make_assessment(unit, exposure=15, at=NOW - timedelta(minutes=40))
    backed_up(unit.job, files=700, at=NOW - timedelta(minutes=30))

    found = proof(Unit.objects.select_related("job").get())

    assert (found.is_alarm, found.before.exposure, found.held[0].low) == (True, 96, 1001)
    # Once everything is back, a later change is measured by what is there then.
    backed_up(unit.job, files=1000, at=NOW - timedelta(minutes=20))
    make_assessment(unit, exposure=13, at=NOW - timedelta(minutes=10))
    backed_up(unit.job, files=1000)
    found = proof(Unit.objects.select_related("job").get())
    assert (found.state, found.before.exposure) == ("ok", 15)


def test_what_was_smaller_for_a_month_is_how_it_is_meant_to_be():
    unit = changed()
    Run.objects.update(started=NOW - timedelta(days=40))
    unit.assessments.filter(exposure=14).update(at=NOW - timedelta(days=35))
    backed_up(unit.job, files=700, at=NOW - timedelta(days=30))
    make_assessment(unit, exposure=13, at=NOW - timedelta(hours=1))
    backed_up(unit.job, files=700)

    assert proof(Unit.objects.select_related("job").get()).state == "ok"


def test_without_a_run_before_nothing_is_called_verified():
    unit = changed(earlier=0)
    backed_up(unit.job)

    assert proof(unit).state == "warning"


def test_the_alarm_stands_at_the_unit_until_the_files_are_back():
    unit = changed()
    backed_up(unit.job, files=700)

    prove(unit)
    assert Unit.objects.get().finding.startswith(f"{ALARM}700 files instead of 1,001")

    backed_up(unit.job, at=NOW + timedelta(minutes=1))
    prove(Unit.objects.select_related("job").get())
    assert Unit.objects.get().finding == ""


def test_page_shows_both_scores_and_the_line_to_take_back(client):
    from tests.factories import make_operator

    client.force_login(make_operator())
    unit = changed()
    backed_up(unit.job, files=700)
    prove(unit)

    html = " ".join(client.get(unit.get_absolute_url()).content.decode().split())

    assert "1.4 looks better, but <b>" in html
    assert "<code>ProtectHome=yes</code>, in line 3" in html
    assert "the score cannot be read" not in html
