"""What becomes of a report: runs once each, and what they mean."""

import json
import urllib.request
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from backups.actions.hosts import HostFacts
from backups.actions.reports import record_report
from backups.engines import certificates
from backups.models import Host, Job, Run
from tests.actions.telling import NOW, SNAPSHOT, run_report, sample, state_of, tell, unit_report
from tests.rig.house import House


def test_a_run_that_is_told_three_times_is_one_run(host: Host) -> None:
    for _ in range(3):
        tell(host, run_report())

    run = Run.objects.get()
    assert (run.status, run.snapshot_id, run.files_new) == ("succeeded", SNAPSHOT, 3)
    assert host.jobs.get().last_run == run


def test_word_of_the_start_does_not_undo_the_end(host: Host) -> None:
    tell(host, run_report())

    tell(host, run_report(finished=None, exit_code=None, result="", output=""))

    assert Run.objects.values_list("status", "exit_code").get() == ("succeeded", 0)


def test_a_run_is_followed_from_its_start_to_its_end(host: Host, clock: Any) -> None:
    unfinished = {"finished": None, "exit_code": None, "result": ""}
    told = []
    for output in ("", '{"message_type":"status","percent_done":0.4,"total_bytes":1000}'):
        tell(host, run_report(**unfinished, output=output))
        told.append((Run.objects.values_list("status", "percent").get(), state_of(host)[0]))
    clock.shift(timedelta(minutes=1))
    tell(host, run_report(finished=NOW))

    assert told == [(("running", None), "running"), (("running", 40), "running")]
    assert Run.objects.get().duration == timedelta(minutes=5)
    assert state_of(host)[0] == "ok"


@pytest.mark.parametrize(
    ("name", "version", "exit_code", "kind", "status", "state", "has_snapshot"),
    [
        ("0.14-backup-success", "0.14.0", 0, "backup", "succeeded", "ok", True),
        ("0.18-backup-success", "0.18.0", 0, "backup", "succeeded", "ok", True),
        ("0.19-backup-unreadable", "0.19.1", 3, "backup", "warning", "warning", True),
        ("0.18-backup-http401", "0.18.0", 1, "backup", "failed", "failed", False),
        ("0.18-backup-sigkill", "0.18.0", None, "backup", "failed", "failed", False),
        ("0.18-forget-prune", "0.18.0", 0, "forget", "succeeded", "ok", False),
        ("0.19-check", "0.19.1", 0, "check", "succeeded", "ok", False),
    ],
)
def test_what_restic_wrote_becomes_what_it_means(
    host: Host,
    name: str,
    version: str,
    exit_code: int | None,
    kind: str,
    status: str,
    state: str,
    has_snapshot: bool,
) -> None:
    is_killed = exit_code is None
    tell(
        host,
        run_report(
            arguments=("restic", kind, "--json"),
            exit_code=exit_code,
            signal="KILL" if is_killed else "",
            result="signal" if is_killed else "success" if exit_code == 0 else "exit-code",
            output=sample(name),
            restic=version,
        ),
    )

    run = Run.objects.get()
    assert (run.kind, run.status, bool(run.snapshot_id)) == (kind, status, has_snapshot)
    assert run.verdict == ("waiting" if has_snapshot else "none")
    assert (state_of(host)[0], run.job.is_backup) == (state, kind == "backup")
    assert bool(run.reason) or status == "succeeded"


def test_two_jobs_that_name_one_unit_are_both_kept(host: Host) -> None:
    unit = "restic-backup.service"
    tell(host, run_report(job="home", unit=unit), run_report(job="restic-backup", unit=unit))

    tell(host, units=(unit_report(next_=NOW),))

    jobs = host.jobs.order_by("name").values_list("name", "unit__name", "timer")
    assert list(jobs) == [("home", unit, ""), ("restic-backup", None, "restic-backup.timer")]


def test_the_clock_of_a_host_is_compared_with_ours(host: Host) -> None:
    record_report(host, sent=NOW - timedelta(minutes=7), facts=HostFacts(os="Debian"))

    host.refresh_from_db()
    assert (host.clock_offset, host.reported, host.os) == (-timedelta(minutes=7), NOW, "Debian")


def test_a_long_fact_is_cut_and_costs_no_report(host: Host) -> None:
    record_report(host, sent=NOW, facts=HostFacts(os="x" * 255), runs=(run_report(),))

    host.refresh_from_db()
    assert (len(host.os), Run.objects.count()) == (200, 1)


def test_reports_of_one_host_at_the_same_moment_are_all_taken(
    house: House, rows: Callable[..., list[tuple[Any, ...]]]
) -> None:
    house.start()
    token = json.loads(house.manage("hosts", "add", "web-1", "--json").stdout)["token"]
    body = {"token": token, "host": {"hostname": "web-1"}}
    key = post(f"{house.url}/api/enrol", body, "")[1]["key"]
    now = datetime.now(UTC).isoformat()
    keys = [f"{number % 4:032x}" for number in range(24)]
    reports = [
        {
            "sent": now,
            "host": {"hostname": "web-1"},
            "runs": [{"key": run, "job": "b", "started": now, "finished": now, "exit_code": 0}],
        }
        for run in keys
    ]

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda body: post(f"{house.url}/api/reports", body, key), reports))

    assert [status for status, _ in answers] == [202] * len(reports)
    assert rows("select count(*), count(distinct key) from backups_run") == [(4, 4)]


def post(url: str, body: object, key: str) -> tuple[int, dict[str, Any]]:
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {key}"}
    request = urllib.request.Request(url, json.dumps(body).encode(), headers)
    with urllib.request.urlopen(request, timeout=60) as answer:
        return answer.status, json.loads(answer.read())


def test_what_a_job_trusts_is_kept_as_certificates_and_nothing_else(host: Host) -> None:
    pair = certificates.make_authority("House CA")
    told = f"<script>{pair.key}{pair.chain}"

    tell(host, run_report(key="1" * 32, trust=told))
    tell(host, run_report(key="2" * 32))
    tell(host, run_report(key="3" * 32, trust="no certificate"))

    job = Job.objects.get()
    assert (job.trusted, job.is_trust_known) == (pair.chain, True)
    tell(host, run_report(key="4" * 32, trust=""))
    job.refresh_from_db()
    assert (job.trusted, job.is_trust_known) == ("", True)
