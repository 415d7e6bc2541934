"""A host without Python: sh, curl and the real restic tell the house of its backups."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from backups.actions import hosts
from backups.engines import curl_lines
from backups.models import Host, Job, Run
from tests.api.conftest import Agent, sample
from tests.rig.hosts import Host as Machine

SECRET = "correct-horse"
KEY = "0123456789abcdef" * 2


@pytest.fixture
def post(agent: Agent) -> Callable[..., Any]:
    """Tell of a run as curl does."""

    def tell(output: str = "", *, headers: dict[str, str] | None = None, **fields: Any) -> Any:
        about = {"job": "nightly", "key": KEY, "started": 1795400000} | fields
        return Client(query_params={}).post(
            "/api/output",
            output,
            content_type="text/plain",
            query_params=about,
            headers={"Authorization": f"Bearer {agent.key}"} | (headers or {}),
        )

    return tell


def test_a_host_without_python_enrols_and_tells_its_backups(
    live_server: Any, systemd_host: Machine, transactional_db: None
) -> None:
    new = hosts.add_host("nas", by="test")
    url = live_server.url
    systemd_host.run("mkdir -p /srv/nas && echo letter >/srv/nas/letter")
    repository = f"rest:http://alice:{SECRET}@127.0.0.1:9/nas"
    local = "RESTIC_REPOSITORY=/srv/nas-repo RESTIC_PASSWORD=x"
    systemd_host.run(f"{local} restic init -q")

    systemd_host.run(curl_lines.enrolment(url, new.token))
    systemd_host.run(curl_lines.installation(url))
    good = systemd_host.run(f"{local} resthouse-run photos restic backup --json /srv/nas")
    systemd_host.write("/srv/nas-env", f"export RESTIC_REPOSITORY={repository}\n", 0o600)
    bad = systemd_host.run(
        ". /srv/nas-env; resthouse-run mail sh -c 'ps -ef; kill -9 $$' restic backup", check=False
    )
    wrong = systemd_host.run(
        f"{local}y resthouse-run photos restic backup --json /srv/nas", check=False
    )
    again = systemd_host.run(curl_lines.enrolment(url, new.token), check=False)

    assert systemd_host.run("stat -c %a:%U /etc/resthouse/key").stdout == "600:root\n"
    assert (good.returncode, bad.returncode, wrong.returncode) == (0, 137, 1)
    assert '"message_type":"summary"' in good.stdout
    assert again.returncode != 0
    key = systemd_host.read("/etc/resthouse/key").split()[-1]
    assert (key in bad.stdout, SECRET in bad.stdout, "curl" in bad.stdout) == (False, False, True)
    nas = Host.objects.get()
    assert (nas.agent, nas.restic) == ("curl", systemd_host.run("restic version").stdout.split()[1])
    photos, mail = Job.objects.order_by("-name")
    assert (photos.is_backup, mail.is_backup, photos.repository_url) == (
        True,
        True,
        "/srv/nas-repo",
    )
    assert mail.repository_url == "rest:http://alice:***@127.0.0.1:9/nas"
    failed, succeeded = photos.runs.all()
    assert succeeded.status == Run.Status.SUCCEEDED
    assert re.fullmatch("[0-9a-f]{8,64}", succeeded.snapshot_id)
    assert (failed.exit_code, failed.reason) == (1, "The repository password is wrong.")
    assert (mail.runs.get().signal, mail.runs.get().exit_code) == ("KILL", None)


def test_secrets_are_taken_out_before_a_run_is_kept(post: Callable[..., Any], agent: Agent) -> None:
    said = sample("0.14-backup-wrong-password")
    said += f"\nRESTIC_PASSWORD={SECRET}\nrest:http://alice:{SECRET}@h/x\n"
    said += (
        f'Fatal: parse "http://alice:{SECRET}/1@127.0.0.1:1/": invalid port ":{SECRET}" after host'
    )

    answer = post(
        said,
        ended=1795400060,
        exit=1,
        headers={"Resthouse-Repository": f"rest:http://a:{SECRET}@127.0.0.1/x"},
    )

    assert (answer.status_code, answer.json()["accepted"]) == (202, 1)
    run = Run.objects.get()
    kept = [*Run.objects.values_list(), *Job.objects.values_list(), *Host.objects.values_list()]
    assert SECRET not in str(kept)
    assert (run.job.host, run.kind, run.exit_code) == (agent.host, "backup", 1)


def test_what_is_told_twice_is_one_run_and_its_start_undoes_no_end(
    post: Callable[..., Any],
) -> None:
    begun = post()
    status = Run.objects.get().status
    for _ in range(2):
        post(sample("0.18-backup-success"), ended=1795400060, exit=0, restic="0.18.0")
    post()

    assert (begun.status_code, status) == (202, Run.Status.RUNNING)
    assert Run.objects.get().status == Run.Status.SUCCEEDED


@pytest.mark.parametrize(
    ("output", "fields", "status", "word"),
    [
        ("x" * (curl_lines.MAX_OUTPUT + 1), {}, 413, "too large"),
        ("", {"exit": 0}, 422, "belong together"),
        ("", {"exit": 256, "ended": 1795400060}, 422, "exit"),
        ("", {"key": "abc"}, 422, "key"),
        ("", {"job": "a\nb"}, 422, "job"),
        ("", {"started": 5}, 422, "started"),
        ("", {"command": "rm"}, 422, "command"),
        ("", {"host": "other"}, 422, "unknown"),
        ("", {"headers": {"Authorization": "Bearer wrong"}}, 401, "Unauthorized"),
    ],
)
def test_what_does_not_fit_is_refused_in_a_sentence_and_changes_nothing(
    post: Callable[..., Any], output: str, fields: dict[str, Any], status: int, word: str
) -> None:
    answer = post(output, **fields)

    assert answer.status_code == status
    assert word in answer.json()["detail"]
    assert not Run.objects.exists()


def test_one_key_does_not_flood_the_house(post: Callable[..., Any]) -> None:
    answers = {post(key=f"{number:032x}").status_code for number in range(62)}

    assert answers == {202, 429}
