"""What waits for the dashboard is sent once, in order, and survives what may happen meanwhile."""

import ast
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from agent import resthouse_agent
from agent.resthouse_agent import AgentError, Home, iso
from tests.agent.conftest import PROGRAM
from tests.agent.dashboard import FakeDashboard


def a_run(number: int, **fields: object) -> dict:
    began = 1795400000 + number * 3600
    return {
        "key": f"{number:032x}",
        "job": "restic-backup",
        "unit": "restic-backup.service",
        "arguments": ["restic", "backup", "/"],
        "repository": "/srv/repo",
        "started": iso(began),
        "finished": iso(began + 60),
        "exit_code": 0,
        "signal": "",
        "result": "success",
        "output": "",
        "restic": "0.14.0",
        **fields,
    }


def test_what_waited_is_sent_in_order_and_once(home: Home, dashboard: FakeDashboard) -> None:
    for number in (3, 1, 2):
        home.add_run(a_run(number))

    home.flush(home.config())
    home.flush(home.config())

    assert [run["key"] for run in dashboard.runs()] == [f"{n:032x}" for n in (1, 2, 3)]
    assert [len(report["runs"]) for report in dashboard.reports] == [3, 0]
    assert home.waiting() == []


def test_flush_sends_what_waits_and_nothing_else(
    agent, home: Home, dashboard: FakeDashboard
) -> None:
    home.add_run(a_run(1))

    done = agent("flush")

    assert (done.stdout, done.returncode) == (f"Reported to {dashboard.url}: 1.\n", 0)
    assert dashboard.runs() == [a_run(1)]


def test_a_run_told_twice_waits_once(home: Home, dashboard: FakeDashboard) -> None:
    home.add_run(a_run(1, finished=None))
    home.add_run(a_run(1, finished=None, output="later"))
    home.add_run(a_run(1))

    home.flush(home.config())

    assert [run["finished"] for run in dashboard.runs()] == [a_run(1)["finished"]]


@pytest.mark.parametrize("status", [302, 404, 429, 500, 503])
def test_a_dashboard_that_is_away_finds_everything_later(
    home: Home, dashboard: FakeDashboard, status: int
) -> None:
    home.add_run(a_run(1))
    dashboard.refuse = lambda report: status

    sentence = home.flush(home.config())

    assert sentence.endswith("Kept for later: 1.")
    dashboard.refuse = lambda report: 0
    home.flush(home.config())
    assert dashboard.runs() == [a_run(1)]


def test_one_report_that_is_refused_does_not_hold_up_the_others(
    home: Home, dashboard: FakeDashboard
) -> None:
    for number in (1, 2, 3):
        home.add_run(a_run(number))
    dashboard.refuse = lambda report: (
        413 if a_run(2)["key"] in [run["key"] for run in report["runs"]] else 0
    )

    home.flush(home.config())

    assert dashboard.runs() == [a_run(1), a_run(3)]
    assert [path.suffix for path in home.spool.iterdir()] == [".refused"]


def test_a_revoked_key_is_said_and_nothing_is_lost(home: Home, dashboard: FakeDashboard) -> None:
    home.add_run(a_run(1))
    dashboard.refuse = lambda report: 401

    with pytest.raises(AgentError, match="enrol this host again"):
        home.flush(home.config())

    assert len(home.waiting()) == 1


def test_another_server_at_the_address_gets_nothing_deleted(
    home: Home, dashboard: FakeDashboard
) -> None:
    home.add_run(a_run(1))
    dashboard.answer = {"hello": "world"}

    sentence = home.flush(home.config())

    assert sentence.endswith("did not answer as a dashboard does. Kept for later: 1.")


def test_the_spool_is_bounded_and_results_go_last(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in (1, 2, 3, 4):
        home.add_run(a_run(number))
    for number in (9, 5):
        home.add_run(a_run(number, finished=None))
    home.add_unit({"name": "restic-backup.service"})

    def kept(files: int) -> list[str]:
        monkeypatch.setattr(resthouse_agent, "SPOOL_FILES", files)
        home.trim()
        return [path.name.partition("-")[0] for path in home.waiting()]

    assert kept(6) == ["run"] * 4 + ["progress", "unit"]
    assert json.loads(home.waiting()[4].read_text())["runs"]["key"] == a_run(9)["key"]
    assert kept(5) == ["run"] * 4 + ["unit"]
    assert kept(3) == ["run"] * 3
    assert json.loads(home.waiting()[0].read_text())["runs"]["key"] == a_run(2)["key"]


def test_the_spool_is_bounded_in_bytes(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resthouse_agent, "SPOOL_BYTES", 25_000)
    for number in (1, 2, 3):
        home.add_run(a_run(number, output="x" * 10_000))

    home.trim()

    assert len(home.waiting()) == 2


def test_a_write_cut_off_by_a_power_cut_leaves_nothing_broken(
    home: Home, dashboard: FakeDashboard
) -> None:
    home.add_run(a_run(1))
    torn = home.spool / "run-2026-11-23T02:00:00.000+00:00-0.json.1a2b3c4d.new"
    torn.write_text('{"runs": {"key": "00')
    os.utime(torn, (0, 0))
    empty = home.spool / "run-0000.json"
    empty.write_text("")  # What some file systems leave of a file that was not synced.

    home.flush(home.config())

    assert dashboard.runs() == [a_run(1)]
    assert [path.name for path in home.spool.iterdir()] == ["run-0000.refused"]


def test_killed_at_any_moment_the_spool_holds_whole_files_only(home: Home) -> None:
    writer = (
        "import itertools, pathlib, sys; from agent.resthouse_agent import Home\n"
        "home = Home(pathlib.Path(sys.argv[1]))\n"
        "print('go', flush=True)\n"
        "for n in itertools.count():\n"
        "    run = {'key': str(n % 7), 'started': 'x', 'finished': 'y', 'output': 'z' * 99999}\n"
        "    home.add_run(run)\n"
    )
    for _ in range(5):
        process = subprocess.Popen(
            [sys.executable, "-c", writer, str(home.state)],
            cwd=PROGRAM.parents[1],
            stdout=subprocess.PIPE,
        )
        process.stdout.readline()
        time.sleep(0.05)
        process.kill()
        process.communicate()

    assert home.waiting() != []
    for path in home.waiting():
        assert len(json.loads(path.read_text())["runs"]["output"]) == 99999


def test_no_secret_is_ever_kept(home: Home) -> None:
    home.add_run(a_run(1, output="RESTIC_PASSWORD=hush", arguments=["x=rest:http://a:hush@h/"]))
    home.add_unit({"name": "a.service", "text": "Environment=RESTIC_PASSWORD=hush"})

    assert "hush" not in "".join(path.read_text() for path in home.waiting())


def test_what_is_kept_only_its_owner_reads(home: Home) -> None:
    home.add_run(a_run(1))

    assert {path.stat().st_mode & 0o777 for path in home.waiting()} == {0o600}


def test_the_program_keeps_to_the_grammar_of_python_3_9() -> None:
    ast.parse(Path(PROGRAM).read_text(), feature_version=(3, 9))
