"""A stream of reports that is cut, repeated and shuffled ends in the rows of the straight one."""

import json
import os
from collections.abc import Iterable
from datetime import timedelta
from itertools import islice
from random import Random
from typing import Any

import pytest

from backups.actions.reports import RunReport
from backups.models import DaySum, Host, Job, Run
from tests.actions.telling import NOW, run_report, sample, tell
from tests.factories import make_host

REPORTS = int(os.environ.get("RESTHOUSE_REPLAY", "10000"))
ENDS = (
    ("0.18-backup-success", 0),
    ("0.18-backup-unreadable", 3),
    ("0.18-backup-locked", 11),
    ("0.18-backup-wrong-password", 12),
)


def stream(random: Random) -> list[RunReport]:
    """Runs of three jobs, oldest first: each starts, goes on, and ends, but for a few."""
    told: list[RunReport] = []
    outputs = {name: sample(name) for name, _ in ENDS}
    count = REPORTS // 3
    for number in range(count):
        name, exit_code = random.choice(ENDS)
        started = NOW - timedelta(hours=count - number)
        facts = {
            "key": f"{number:032x}",
            "job": f"job-{number % 3}",
            "repository": f"rest:http://127.0.0.1:8000/{number // 100}/",
            "started": started,
        }
        going_on = {"finished": None, "exit_code": None, "result": ""}
        for percent in (0.1, 0.6):
            line = json.dumps({"message_type": "status", "percent_done": percent})
            told.append(run_report(**facts, **going_on, output=line))
        end = started + timedelta(minutes=random.randrange(1, 50))
        if random.random() < 0.98:
            fields = {"finished": end, "exit_code": exit_code, "output": outputs[name]}
            told.append(run_report(**facts, **fields))
    return told


def batches(reports: Iterable[RunReport], size: int) -> Iterable[tuple[RunReport, ...]]:
    remaining = iter(reports)
    while batch := tuple(islice(remaining, size)):
        yield batch


def rows_of(host: Host) -> dict[str, list[Any]]:
    runs = Run.objects.filter(job__host=host)
    left_out = {"id", "job_id", "received", "reported"}
    columns = [f.attname for f in Run._meta.concrete_fields if f.attname not in left_out]
    jobs = Job.objects.filter(host=host).order_by("name")
    days = DaySum.objects.filter(job__host=host).order_by("job__name", "day")
    return {
        "runs": list(runs.order_by("job__name", "key").values_list("job__name", *columns)),
        "jobs": list(jobs.values_list("name", "state", "reason", "repository_url")),
        "last": list(jobs.values_list("last_run__key", flat=True)),
        "days": list(days.values_list("job__name", "day", "state", "runs", "failed", "seconds")),
    }


@pytest.mark.long
def test_the_order_and_number_of_reports_make_no_difference(host: Host, clock: Any) -> None:
    straight, random = stream(Random(7)), Random(8)
    torn = [*straight, *random.sample(straight, len(straight) // 2)]
    random.shuffle(torn)
    other = make_host(name="web-2")

    for batch in batches(straight, 50):
        tell(host, *batch)
    for batch in batches(torn, 37):
        tell(other, *batch)

    expected, found = rows_of(host), rows_of(other)
    assert len(expected["runs"]) == REPORTS // 3
    for what in expected:
        assert found[what] == expected[what]
