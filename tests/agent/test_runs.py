"""What the journal of a real systemd host says, told as runs."""

import json
from collections.abc import Iterable

import pytest

from agent.resthouse_agent import (
    Json,
    Properties,
    Run,
    Tail,
    arguments_of,
    goes_to,
)
from tests.agent.conftest import SAMPLES

ONESHOT = {"Type": "oneshot", "ActiveState": "inactive", "InvocationID": ""}


def told(entries: Iterable[Json], properties: Properties, key: str = "0" * 32) -> Json:
    run = Run(key, "r", "r.service")
    for entry in entries:
        run.take(entry, is_oneshot=True)
    run.settle(properties)
    return run.report(arguments_of(run.commands, properties), "", "0.14.0")


def recorded(version: int, unit: str) -> list[Json]:
    """The entries of the last invocation of a unit."""
    lines = (SAMPLES / f"runs.{version}.jsonl").read_text().splitlines()
    entries = [json.loads(line) for line in lines]
    mine = [e for e in entries if unit in (e.get("UNIT"), e.get("_SYSTEMD_UNIT"))]
    keys = [e.get("INVOCATION_ID") or e.get("_SYSTEMD_INVOCATION_ID") for e in mine]
    return [entry for entry, key in zip(mine, keys, strict=True) if key == keys[-1]]


@pytest.mark.parametrize("version", [247, 252, 257])
@pytest.mark.parametrize(
    ("job", "expected"),
    [
        ("r-ok", (0, "", "success")),
        ("r-three", (3, "", "exit-code")),
        ("r-kill", (None, "KILL", "signal")),
        ("r-timeout", (None, "TERM", "timeout")),
        ("r-user", (217, "", "exit-code")),
        ("r-exec", (203, "", "exit-code")),
        ("r-pre", (7, "", "exit-code")),
        ("r-env", (None, "", "resources")),
        ("r-url", (1, "", "exit-code")),
        ("r-rae", (0, "", "success")),
    ],
)
def test_how_a_run_ended(version: int, job: str, expected: tuple[int | None, str, str]) -> None:
    run = told(recorded(version, f"{job}.service"), ONESHOT)

    assert (run["exit_code"], run["signal"], run["result"]) == expected
    assert run["started"] <= run["finished"]


@pytest.mark.parametrize("version", [247, 252, 257])
def test_a_skipped_run_is_no_success(version: int) -> None:
    assert told(recorded(version, "r-cond.service"), ONESHOT)["result"] == "exec-condition"


@pytest.mark.parametrize("version", [247, 252, 257])
def test_why_a_unit_could_not_start_is_in_its_output(version: int) -> None:
    assert "USER" in told(recorded(version, "r-user.service"), ONESHOT)["output"]
    assert "environment files" in told(recorded(version, "r-env.service"), ONESHOT)["output"]


def test_a_status_that_counts_as_success_is_taken_from_systemd_or_left_open() -> None:
    entries = recorded(252, "r-three-ok.service")
    forgotten = ONESHOT | {"SuccessExitStatus": "3"}
    known = forgotten | {"InvocationID": "0" * 32, "Result": "success"}
    known |= {"ExecMainCode": "1", "ExecMainStatus": "3"}

    assert told(entries, forgotten)["exit_code"] is None
    assert told(entries, known)["exit_code"] == 3


def test_a_run_in_progress_has_no_end() -> None:
    active = ONESHOT | {"InvocationID": "0" * 32, "ActiveState": "activating", "Result": "success"}

    run = told(recorded(252, "r-timeout.service")[:4], active)

    assert (run["finished"], run["exit_code"], run["result"]) == (None, None, "")


def test_a_run_cut_off_with_its_host_ends_with_its_last_sign_of_life() -> None:
    entries = recorded(252, "r-timeout.service")[:4]

    run = told(entries, ONESHOT)  # Of a boot that this machine is not in.

    assert run["finished"] is not None
    assert (run["exit_code"], run["signal"], run["result"]) == (None, "", "host-down")


def test_a_whole_backup_is_told_as_it_ran() -> None:
    lines = (SAMPLES / "journal.invocation.252.jsonl").read_text().splitlines()

    run = told(map(json.loads, lines), ONESHOT)

    assert (run["exit_code"], run["result"]) == (0, "success")
    assert run["arguments"][:3] == ["/usr/bin/restic", "backup", "--json"]
    assert run["started"] == "2026-11-23T02:18:51.897+00:00"
    # Of some eighty progress lines the newest stays, and the summary after it.
    kinds = [json.loads(line).get("message_type") for line in run["output"].splitlines()]
    assert kinds[-2:] == ["status", "summary"]
    assert kinds.count("status") <= 1 + kinds.count("error")


def test_an_output_is_bounded_and_keeps_its_end() -> None:
    tail = Tail()
    for number in range(50_000):
        tail.add(f"line {number} \xff".encode("latin-1"))

    assert len(tail.text().encode()) <= 65536
    assert tail.text().endswith("line 49999 �")


@pytest.mark.parametrize(
    ("arguments", "properties"),
    [
        (["restic", "-r", "/srv/repo", "backup"], {}),
        (["restic", "backup", "--repo=/srv/repo"], {}),
        (["restic", "backup"], {"Environment": "A=b 'RESTIC_REPOSITORY=/srv/repo'"}),
        (["restic", "backup"], {"EnvironmentFiles": "FILES/env (ignore_errors=no)"}),
        (["restic", "--repository-file", "FILES/repository", "backup"], {}),
        (
            ["restic", "--repository-file", "${CREDENTIALS_DIRECTORY}/where", "backup"],
            {"LoadCredential": "password:/nowhere where:FILES/repository"},
        ),
        (
            ["restic", "--repository-file", "/run/credentials/r.service/where", "backup"],
            {"LoadCredential": "where:FILES/repository"},
        ),
    ],
)
def test_the_repository_of_a_job_is_found(tmp_path, arguments, properties) -> None:
    (tmp_path / "env").write_text(
        '# of restic\nRESTIC_PASSWORD=hush\nRESTIC_REPOSITORY="/srv/repo"\n'
    )
    (tmp_path / "repository").write_text("/srv/repo\n")
    arguments = [argument.replace("FILES", str(tmp_path)) for argument in arguments]
    properties = {key: value.replace("FILES", str(tmp_path)) for key, value in properties.items()}

    assert goes_to("r.service", arguments, properties)[0] == "/srv/repo"


def test_a_repository_is_named_without_its_password() -> None:
    arguments = ["restic", "-r", "rest:https://alice:hu/sh@backup.lan/alice"]

    assert goes_to("r", arguments, {})[0] == "rest:https://alice:***@backup.lan/alice"
