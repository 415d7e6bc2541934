"""Two real hosts fail in ten ways, side by side; the dashboard must tell each as it was.

Debian 12 has restic 0.14 and systemd 252, Debian 13 has 0.18 and 257. Their units, the agent, the
house and the rest-server are real, and so is what kills them.
"""

import html
import json
import os
import re
import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import product
from pathlib import Path
from typing import Any

import docker
import pytest
from playwright.sync_api import APIRequestContext, Playwright

from tests.rig import hosts, missing
from tests.rig.containers import PREFIX, removed_at_the_end
from tests.rig.failures import FAILURES, NIGHTLY, Failure, Machine
from tests.rig.house import House
from tests.rig.servers import make_data_directory, owner_of
from tests.rig.waiting import wait_until

Told = dict[tuple[str, str, str], dict[str, Any]]

SECOND = timedelta(seconds=1)
SUITES = ("bookworm", "trixie")
ONE_BY_ONE = pytest.mark.parametrize("failure", FAILURES, ids=lambda failure: failure.job)


@dataclass
class Scene:
    """A house, its server, two hosts, and somebody who reads the pages."""

    house: House
    server: str
    machines: dict[str, Machine]
    reader: APIRequestContext
    pool: ThreadPoolExecutor

    def both(self, act: Callable[[Machine], object]) -> None:
        list(self.pool.map(act, self.machines.values()))

    def each(self) -> list[Machine]:
        return list(self.machines.values())

    def rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        file = self.house.data / "resthouse.sqlite3"
        with closing(sqlite3.connect(file, timeout=20)) as database:
            return database.execute(query, values).fetchall()

    def listed(self, noun: str, *options: str) -> list[dict[str, Any]]:
        done = self.house.manage(noun, "list", *options, "--json")
        found: list[dict[str, Any]] = json.loads(done.stdout)
        return found

    def told(self) -> Told:
        """By noun, release and job, the newest run of each."""
        suites = {machine.name: suite for suite, machine in self.machines.items()}
        nouns = {"runs": ["--limit", "500"], "jobs": []}
        lists = self.pool.map(lambda noun: self.listed(noun, *nouns[noun]), nouns)
        return {
            (noun, suites[row["host"]], row["job"]): row
            for noun, rows in zip(nouns, lists, strict=True)
            for row in reversed(rows)
        }

    def ended(self, machine: Machine, job: str) -> int:
        """How many of its runs are known from their beginning to their end."""
        query = "SELECT COUNT(*) FROM backups_run r JOIN backups_job j ON j.id = r.job_id "
        query += "JOIN backups_host h ON h.id = j.host_id "
        query += "WHERE h.name = ? AND j.name = ? AND r.finished IS NOT NULL"
        [[count]] = self.rows(query, machine.name, job)
        return int(count)

    def wait_for(self, jobs: list[str], count: int = 1) -> None:
        def lacking() -> list[str]:
            return [
                f"{machine.name} {job}"
                for machine in self.machines.values()
                for job in jobs
                if self.ended(machine, job) < count
            ]

        wait_until(lambda: not lacking(), 60, lambda: f"{lacking()}")

    def page(self, path: str) -> str:
        """The words of a page, as one reads them."""
        answer = self.reader.get(path)
        assert answer.ok, answer.text()
        body = answer.text().partition("<main")[2]
        return " ".join(html.unescape(re.sub(r"<[^>]*>", "", body)).split())


@pytest.fixture(scope="module")
def scene(
    docker_client: docker.DockerClient,
    server_image: str,
    playwright: Playwright,
    free_port: Callable[[], int],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Scene]:
    if obstacle := hosts.obstacle():
        missing(obstacle)
    folder = tmp_path_factory.mktemp("failures")
    with ExitStack() as stack:
        pool = stack.enter_context(ThreadPoolExecutor(2))
        data = make_data_directory(folder)
        booting = pool.map(lambda suite: boot(suite, folder, data, stack), SUITES)
        house = House(folder / "house", free_port())
        stack.callback(house.stop)
        server = stack.enter_context(removed_at_the_end(docker_client))(
            f"{PREFIX}failures-{os.getpid()}"
        )
        begin(house, server, server_image, data, port := free_port())
        reader = sign_in(playwright, house)
        stack.callback(reader.dispose)
        machines = dict(zip(SUITES, booting, strict=True))
        scene = Scene(house, server, machines, reader, pool)
        scene.both(lambda machine: settle(scene, machine, port))
        fail_in_every_way(scene)
        yield scene


def boot(suite: str, folder: Path, data: Path, stack: ExitStack) -> Machine:
    disk = folder / suite
    disk.mkdir()
    host = hosts.Host(suite, f"of-{suite}", disk)
    stack.callback(host.stop)
    host.wait_until_booted()
    return Machine(host, suite, data)


def begin(house: House, server: str, image: str, data: Path, port: int) -> None:
    house.start()
    where = ["--bind", f"127.0.0.1:{port}", "--data", str(data), "--image", image]
    ids = [f"--{kind}={number}" for kind, number in owner_of(data).items()]
    house.manage("servers", "create", server, *where, *ids)


def sign_in(playwright: Playwright, house: House) -> APIRequestContext:
    reader = playwright.request.new_context(base_url=house.url)
    token = re.search(r'csrfmiddlewaretoken" value="(\w+)"', reader.get(house.setup_link).text())
    assert token
    password = "a long enough sentence"
    form = {"username": "ines", "password": password, "again": password}
    assert reader.post(house.setup_link, form=form | {"csrfmiddlewaretoken": token[1]}).ok
    return reader


def settle(scene: Scene, machine: Machine, port: int) -> None:
    """Its units as in the tutorial, and the one command of the page."""
    added = json.loads(scene.house.manage("users", "add", machine.name, "--json").stdout)
    address = f"{machine.name}:{added['password']}@127.0.0.1:{port}/{machine.name}/"
    machine.prepare(f"rest:http://{address}")
    new = json.loads(scene.house.manage("hosts", "add", machine.name, "--json").stdout)
    machine.host.run(new["command"])
    wait_until(lambda: list(machine.locks.iterdir()), 30)
    machine.unlock_no_more()


def fail_in_every_way(scene: Scene) -> None:
    jobs = [failure.job for failure in FAILURES]

    def fail(machine: Machine) -> None:
        machine.start(*jobs)
        machine.wait_until_it_uploads("killed")
        machine.host.run("systemctl kill --signal=KILL killed.service")
        # Of a condition nothing is heard but by a look, as there is one every five minutes.
        machine.tell()

    scene.both(fail)
    scene.wait_for(jobs)


@pytest.fixture(scope="module")
def told(scene: Scene) -> Told:
    """What the terminal lists of each, before anything was mended."""
    return scene.told()


@pytest.mark.parametrize("suite", SUITES)
@ONE_BY_ONE
def test_a_failure_is_told_as_it_was(
    scene: Scene, told: Told, suite: str, failure: Failure
) -> None:
    run, job = told["runs", suite, failure.job], told["jobs", suite, failure.job]
    run_page = scene.page(f"/runs/{run['id']}/")

    assert (run["state"], run["kind"]) == (failure.state, "backup")
    assert run["exit_code"] in failure.exits(suite)
    assert failure.cause in run["reason"]
    assert (job["state"], job["reason"]) == (failure.stands, run["reason"])
    assert run["reason"].replace("`", "") in run_page
    assert failure.remedy in remedy_in(run_page)


@pytest.mark.parametrize("suite", SUITES)
def test_a_host_is_told_with_the_worst_of_its_jobs(scene: Scene, told: Told, suite: str) -> None:
    name = scene.machines[suite].name
    page = scene.page(f"/hosts/{name}/")
    failing = [failure for failure in FAILURES if failure.stands == "failed"]

    assert f"{name} failed to back up" in page
    reasons = [told["jobs", suite, failure.job]["reason"] for failure in failing]
    assert any(reason.replace("`", "") in page for reason in reasons)
    words = {"failed": "Failed", "warning": "With warnings", "skipped": "Skipped"}
    for failure in FAILURES:
        row = page.partition(f" {failure.job} *-*-* 00:00:00 ")[2]
        assert row.startswith(words[failure.stands]), f"{failure.job}: {row[:80]}"


def test_the_command_of_the_page_helps_on_its_host(scene: Scene, told: Told) -> None:
    jobs = ("locked", "unreadable", "wrong-password")
    pages = {key: f"/runs/{told['runs', *key]['id']}/" for key in product(SUITES, jobs)}
    remedies = {key: remedy_in(scene.page(page)) for key, page in pages.items()}

    def mend(machine: Machine) -> None:
        machine.host.run("cp /etc/restic/environment /etc/restic/wrong")
        for job in jobs:
            machine.host.run(remedies[machine.suite, job])
        # A unit counts as changed from when its new text is heard of.
        machine.tell()
        machine.start(*jobs, wait=True)

    scene.both(mend)

    scene.wait_for([*jobs], count=2)
    found = scene.told()
    for suite in SUITES:
        assert {job: found["jobs", suite, job]["state"] for job in jobs} == dict.fromkeys(
            jobs, "ok"
        )


def test_a_server_that_is_down_is_the_cause_however_long_restic_waits_for_it(scene: Scene) -> None:
    scene.house.manage("servers", "stop", scene.server)

    scene.both(lambda machine: machine.start(NIGHTLY.job, wait=True))
    scene.wait_for([NIGHTLY.job])
    scene.house.manage("servers", "start", scene.server)

    found = scene.told()
    for suite in SUITES:
        run, job = found["runs", suite, NIGHTLY.job], found["jobs", suite, NIGHTLY.job]
        assert (run["state"], run["exit_code"], run["kind"]) == ("failed", 1, "backup")
        assert run["reason"].startswith("The server could not be reached.")
        # restic 0.18 tries for a quarter of an hour, which its unit does not allow.
        assert ("until systemd stopped it" in run["reason"]) == (suite == "trixie")
        assert (job["state"], job["reason"]) == ("failed", run["reason"])
        assert remedy_in(scene.page(f"/runs/{run['id']}/")).startswith("curl -sv")


def test_what_ran_while_the_dashboard_was_away_comes_later_with_its_true_times(
    scene: Scene,
) -> None:
    before = {machine.name: scene.ended(machine, NIGHTLY.job) for machine in scene.each()}
    scene.house.stop()
    moments = [datetime.now(UTC)]
    for _ in range(2):
        scene.both(lambda machine: machine.start(NIGHTLY.job, wait=True))
        moments.append(datetime.now(UTC))
    scene.house.start()
    moments.append(datetime.now(UTC))

    scene.both(Machine.tell)

    scene.wait_for([NIGHTLY.job], count=max(before.values()) + 2)
    jobs = {job["host"]: job for job in scene.listed("jobs") if job["job"] == NIGHTLY.job}
    for machine in scene.each():
        runs = scene.listed("runs", "--host", machine.name, "--job", NIGHTLY.job)
        assert len(runs) == before[machine.name] + 2
        assert [run["state"] for run in runs[:2]] == ["succeeded", "succeeded"]
        for run, begun, over in zip(reversed(runs[:2]), moments, moments[1:], strict=False):
            # What systemd logs may come a moment after its answer.
            assert begun <= moment(run["started"]) <= moment(run["finished"]) <= over + SECOND
        query = "SELECT MIN(received) FROM backups_run WHERE id IN (?, ?)"
        [[received]] = scene.rows(query, runs[0]["id"], runs[1]["id"])
        assert datetime.fromisoformat(f"{received}+00:00") > moments[2]
        assert jobs[machine.name]["state"] == "ok"


def test_a_host_without_power_ends_its_run_as_lost_and_goes_on(scene: Scene) -> None:
    def begin_and_cut(machine: Machine) -> None:
        machine.start("killed")
        machine.wait_until_it_uploads("killed")
        machine.tell()
        machine.host.cut_power()

    scene.both(begin_and_cut)
    running = scene.told()
    cut = datetime.now(UTC)

    def come_again(machine: Machine) -> None:
        machine.host.boot()
        machine.host.wait_until_booted()
        machine.tell()
        machine.start(NIGHTLY.job, wait=True)

    scene.both(come_again)

    scene.wait_for(["killed"], count=2)
    found = scene.told()
    for suite, machine in scene.machines.items():
        run, job = found["runs", suite, "killed"], found["jobs", suite, "killed"]
        assert running["jobs", suite, "killed"]["state"] == "running"
        assert run["id"] == running["runs", suite, "killed"]["id"]
        assert (run["state"], run["exit_code"], run["signal"]) == ("lost", None, "")
        assert run["reason"].startswith("Its host went down in the middle of the run")
        # Of a journal that was not written out in time, the start may be all that is left.
        assert moment(run["started"]) <= moment(run["finished"]) < cut
        assert (job["state"], job["reason"]) == ("failed", run["reason"])
        page = scene.page(f"/runs/{run['id']}/")
        assert "restic --no-cache unlock" in remedy_in(page)
        assert "Went down" in page.partition("The host says")[2][:40]
        assert "0 in /var/lib" in machine.host.run("resthouse-agent status").stdout
    scene.wait_for([NIGHTLY.job], count=4)


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def remedy_in(page: str) -> str:
    """The command that the page of a run gives."""
    found = re.search(r"as root: (.*?) The host says", page)
    assert found, page
    return found[1]
