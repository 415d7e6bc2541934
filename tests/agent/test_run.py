"""A wrapped command behaves as if the agent were not there, and its run is reported."""

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from agent.resthouse_agent import Home
from tests.agent.conftest import PROGRAM
from tests.agent.dashboard import FakeDashboard


def test_output_and_exit_code_pass_through(agent, dashboard: FakeDashboard) -> None:
    done = agent("run", "nightly", "--", "sh", "-c", "echo out; echo err >&2; exit 3")

    assert (done.stdout, done.stderr, done.returncode) == ("out\n", "err\n", 3)
    run = dashboard.runs()[-1]
    assert (run["job"], run["unit"], run["exit_code"], run["signal"]) == ("nightly", "", 3, "")
    assert sorted(run["output"].split()) == ["err", "out"]
    assert run["started"] < run["finished"]
    assert len({run["key"] for run in dashboard.runs()}) == 1


def test_the_start_is_reported_too(agent, dashboard: FakeDashboard) -> None:
    agent("run", "nightly", "--", "sleep", "1")

    assert [run["finished"] is None for run in dashboard.runs()] == [True, False]


def test_output_that_is_no_text_passes_through_unchanged(home: Home) -> None:
    blob = bytes(range(256)) * 1000
    command = [sys.executable, str(PROGRAM), "run", "--state", str(home.state), "n", "--", "cat"]

    done = subprocess.run(command, input=blob, capture_output=True)

    assert done.stdout == blob
    assert done.returncode == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_reaches_the_command(home: Home, dashboard: FakeDashboard, number: int) -> None:
    script = (
        f"trap 'exit 42' {signal.Signals(number).name[3:]}; echo ready; while :; do sleep 0.1; done"
    )
    command = [sys.executable, str(PROGRAM), "run", "--state", str(home.state), "n", "--"]
    process = subprocess.Popen(
        [*command, "bash", "-c", script],
        stdout=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        # What runs in the background of a script ignores it, and would hand that on.
        preexec_fn=lambda: signal.signal(number, signal.SIG_DFL),
    )
    process.stdout.readline()

    process.send_signal(number)

    process.communicate()
    assert process.returncode == 42
    assert dashboard.runs()[-1]["exit_code"] == 42


def test_a_killed_command_is_told_as_killed(agent, dashboard: FakeDashboard) -> None:
    done = agent("run", "nightly", "--", "sh", "-c", "kill -9 $$")

    assert done.returncode == 137
    assert (dashboard.runs()[-1]["exit_code"], dashboard.runs()[-1]["signal"]) == (None, "KILL")


@pytest.mark.parametrize(("command", "code"), [("no-such-command", 127), ("/etc/passwd", 126)])
def test_a_command_that_cannot_start_is_a_failed_run(
    agent, dashboard: FakeDashboard, command: str, code: int
) -> None:
    done = agent("run", "nightly", "--", command)

    assert done.returncode == code
    assert dashboard.runs()[-1]["exit_code"] == code
    assert command in dashboard.runs()[-1]["output"]


def test_a_dashboard_that_is_away_changes_nothing(agent, home: Home) -> None:
    home.config_file.write_text(json.dumps({"url": "http://127.0.0.1:9", "key": "x"}))

    done = agent("run", "nightly", "--", "echo", "saved")

    assert (done.stdout, done.returncode) == ("saved\n", 0)
    assert len(home.waiting()) == 1


def test_a_dashboard_that_hangs_does_not_hold_up_the_command(agent, home: Home) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        home.config_file.write_text(json.dumps({"url": url, "key": "x"}))

        done = agent("run", "nightly", "--", "sh", "-c", "echo saved; exit 3")

    assert (done.stdout, done.returncode) == ("saved\n", 3)
    assert [json.loads(path.read_text())["runs"]["exit_code"] for path in home.waiting()] == [3]


def test_progress_is_told_while_the_command_runs(
    agent, dashboard: FakeDashboard, home: Home, tmp_path: Path
) -> None:
    program = tmp_path / "agent.py"
    program.write_text(
        PROGRAM.read_text().replace("PROGRESS_EVERY = 10, 30", "PROGRESS_EVERY = 10, 1")
    )
    command = [sys.executable, str(program), "run", "--state", str(home.state), "n", "--"]
    line = '{"message_type":"status","percent_done":0.5}'

    subprocess.run([*command, "sh", "-c", f"echo '{line}'; sleep 3"], capture_output=True)

    told = [line in run["output"] for run in dashboard.runs() if not run["finished"]]
    assert told[0] is False
    assert 1 <= told.count(True) <= 3


def test_a_host_that_is_not_enrolled_still_backs_up(agent, home: Home) -> None:
    home.config_file.unlink()

    done = agent("run", "nightly", "--", "echo", "saved")

    assert (done.stdout, done.returncode) == ("saved\n", 0)
    assert "Not enrolled" in done.stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="only root sees that root may write everywhere")
def test_a_full_disk_does_not_stop_the_command(agent, home: Home, dashboard: FakeDashboard) -> None:
    home.spool.rmdir()
    home.spool.write_text("a file where the folder should be")

    done = agent("run", "nightly", "--", "echo", "saved")

    assert (done.stdout, done.returncode) == ("saved\n", 0)
    assert "cannot be kept" in done.stderr
    # What cannot wait is told at once.
    assert len([run for run in dashboard.runs() if run["finished"]]) == 1


def test_passwords_are_hidden_in_the_command_and_in_its_output(
    agent, dashboard: FakeDashboard
) -> None:
    address = "rest:http://alice:hush@127.0.0.1:1/alice"

    agent("run", "n", "--", "sh", "-c", f"echo {address}", "-r", address, RESTIC_REPOSITORY=address)

    assert dashboard.runs()[-1]["repository"] == "rest:http://alice:***@127.0.0.1:1/alice"
    assert "hush" not in json.dumps(dashboard.reports)


def test_a_command_of_any_length_is_reported(agent, dashboard: FakeDashboard) -> None:
    done = agent("run", "nightly", "--", "true", "x" * 9000, *"y" * 900)

    assert done.returncode == 0
    assert dashboard.runs()[-1]["arguments"][0] == "true"
    assert dashboard.runs()[-1]["exit_code"] == 0
