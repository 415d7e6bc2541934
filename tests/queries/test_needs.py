"""What needs a person: named worst first, counted the same, and nothing else."""

from datetime import timedelta

import pytest
from django.utils import timezone

from backups.actions.authorities import make_authority
from backups.models import Authority, Host, Job, Run, Server, UsersFile
from backups.queries.needs import count_needs, needs
from tests.factories import (
    make_certificate,
    make_host,
    make_job,
    make_run,
    make_server,
    make_unit,
)

pytestmark = pytest.mark.django_db


def test_a_house_in_which_all_is_well_needs_nobody():
    make_certificate(make_server())
    make_run(make_job())
    make_job(state=Job.State.RUNNING)
    make_job(state=Job.State.NEW)
    make_unit(exposure=96, level="UNSAFE")
    make_host(enrolled=None, reported=None, key_hash="")

    assert (needs(), count_needs()) == ([], 0)


def test_the_worst_comes_first_and_warnings_last():
    now = timezone.now()
    server = make_server(name="house", status=Server.Status.FAILED, reason="Refused.")
    make_certificate(server, not_after=now + timedelta(days=3))
    for state in (Job.State.WARNING, Job.State.MISSED, Job.State.FAILED, Job.State.DIFFERS):
        make_job(make_host(name=state), state=state)
    make_unit(make_host(name="wrong"), finding="Line 14 denies every socket.")
    make_host(name="silent", reported=now - timedelta(hours=2))

    found = needs()

    assert [need.name for need in found] == [
        "house",
        "differs",
        "failed",
        "missed",
        "wrong",
        "warning",
        "silent",
        "house",
    ]
    assert count_needs() == len(found)
    assert [need.name for need in needs(3)] == ["house", "differs", "failed"]


def test_an_outage_of_many_is_named_once():
    reason = "The server could not be reached."
    for number in range(7):
        make_job(make_host(name=f"web-{number}"), state=Job.State.FAILED, reason=reason)
        missed = timezone.now() - timedelta(hours=number)
        make_job(state=Job.State.MISSED, reason=f"No run came since {missed:%H:%M}.")
    make_job(make_host(name="db-03"), state=Job.State.FAILED, reason="The password is wrong.")

    found = needs()

    assert [(need.name, need.sentence) for need in found] == [
        ("7 jobs", "failed for the same reason"),
        ("db-03", "failed to back up"),
        ("7 jobs", "did not run"),
    ]
    assert "web-0, web-1, web-2 and 4 more" in found[0].reason
    assert count_needs() == 3


def test_a_failed_run_is_shown_itself_and_a_missing_one_by_its_host():
    run = make_run(make_job(state=Job.State.FAILED), status=Run.Status.FAILED, exit_code=1)
    missed = make_job(state=Job.State.MISSED)

    urls = [need.url for need in needs()]

    assert urls == [run.get_absolute_url(), missed.host.get_absolute_url()]


def test_a_wrong_clock_is_told_by_its_host_and_many_as_one():
    make_host(name="late", clock_offset=timedelta(hours=-3))
    make_host(name="slow", clock_offset=timedelta(seconds=-59))
    make_host(name="gone", clock_offset=timedelta(hours=1), retired=timezone.now())

    [need] = needs()

    assert (need.name, need.sentence, count_needs()) == ("late", "has a wrong clock", 1)
    assert need.reason.startswith("It is 3 h behind, as its last report shows.")
    assert list(Host.objects.needing_a_look()) == [Host.objects.get(name="late")]

    for number in range(4):
        make_host(name=f"more-{number}", clock_offset=timedelta(minutes=61))

    [need] = needs()

    assert (need.name, count_needs()) == ("5 hosts", 1)
    assert need.reason.endswith("late, more-0, more-1 and 2 more.")


def test_a_host_that_never_came_is_waited_for_a_day():
    host = make_host(enrolled=None, reported=None, key_hash="")
    assert needs() == []

    type(host).objects.update(created=timezone.now() - timedelta(days=2))

    assert [need.sentence for need in needs()] == ["was added, but its agent never came"]


def test_a_host_that_was_refused_on_purpose_needs_nobody():
    host = make_host(enrolled=None, key_hash="")
    type(host).objects.update(created=timezone.now() - timedelta(days=9))

    assert (needs(), count_needs()) == ([], 0)


def test_needs_costs_the_same_for_one_job_and_for_many(django_assert_num_queries):
    for _ in range(4):
        make_run(make_job(state=Job.State.FAILED), status=Run.Status.FAILED, exit_code=1)

    with django_assert_num_queries(3):
        needs()


def test_a_hand_edit_waits_for_somebody_and_a_damaged_file_comes_first():
    edited, damaged = make_server(name="edited"), make_server(name="damaged")
    found = [{"code": "added", "name": name, "sentence": ""} for name in ("bo", "carl", "dora")]
    UsersFile.objects.create(server=edited, found=found, difference_count=5)
    broken = {"code": "damaged", "name": "", "sentence": "Line 2: it has no colon."}
    UsersFile.objects.create(server=damaged, found=[broken], difference_count=1)

    assert [(need.name, need.state, need.reason) for need in needs()] == [
        ("damaged", "failed", "Line 2: it has no colon."),
        ("edited", "warning", "bo, carl, dora, and 2 more."),
    ]
    assert count_needs() == 2


def test_an_authority_that_ends_is_told_in_time_to_bring_the_next_one_to_the_hosts():
    now = timezone.now()
    fields = {"encrypted_key": b"x", "by_name": "ines", "chain": "", "not_before": now}
    former = {"fingerprint": "a" * 64, "not_after": now + timedelta(days=89)}
    Authority.objects.create(name="House CA", **former, **fields)

    assert [(need.state, need.name) for need in needs()] == [("warning", "House CA")]
    assert count_needs() == 1

    make_authority("The next", by="test")

    assert (needs(), count_needs()) == ([], 0)
