"""What an operation promises: it ends, with a reason, whatever happens to its workers."""

import os
import random
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import docker
import pytest

from backups.engines.restserver import probe
from tests.rig import ROOT
from tests.rig.containers import PREFIX
from tests.rig.forks import Forks
from tests.rig.house import House
from tests.rig.servers import make_data_directory, owner_of
from tests.rig.waiting import wait_until

Rows = Callable[..., list[tuple[Any, ...]]]
ENDED = {"succeeded", "failed"}
# What an operation takes here, about; kills fall anywhere within.
SECONDS = 0.8


class Workshop:
    """A house with one server to be made, and workers to be killed."""

    def __init__(
        self, house: House, forks: Forks, rows: Rows, image: str, port: int, folder: Path
    ) -> None:
        self.house, self.forks, self.rows = house, forks, rows
        self.name, self.image, self.port = f"{PREFIX}{port}", image, port
        self.directory = make_data_directory(folder)
        self.workers: list[subprocess.Popen[bytes]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/"

    @property
    def log(self) -> str:
        return "".join(path.read_text() for path in self.house.data.glob("worker-*.log"))

    def ask_for_server(self) -> None:
        """As the page does: the row, the operation and its task, but nobody works on it yet."""
        fields = {"name": self.name, "image": self.image, "port": self.port}
        fields |= {"data_directory": str(self.directory), **owner_of(self.directory)}
        self.python(
            "from backups.actions.servers import create_server",
            "from backups.models import Server",
            f"create_server(Server(**{fields!r}), by='test')",
        )

    def reap(self) -> None:
        self.python(
            "from backups.actions.operations import reap_operations", "reap_operations.call()"
        )

    def python(self, *lines: str) -> None:
        assert self.forks.run("shell", "--no-imports", "-c", "; ".join(lines)) == 0

    def start_worker(self) -> subprocess.Popen[bytes]:
        """A process group of its own, as under the supervisor."""
        with (self.house.data / f"worker-{len(self.workers)}.log").open("wb") as log:
            worker = subprocess.Popen(
                [sys.executable, "manage.py", "worker"],
                cwd=ROOT,
                env=self.house.variables(),
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.workers.append(worker)
        return worker

    def kill(self, worker: subprocess.Popen[bytes]) -> None:
        os.killpg(worker.pid, signal.SIGKILL)
        worker.wait()

    def operation(self) -> dict[str, Any]:
        columns = ("state", "attempt", "step", "percent", "problem", "log", "is_lapsed")
        now = "strftime('%Y-%m-%d %H:%M:%f', 'now')"
        query = f"select state, attempt, step, percent, problem, log, lease_until < {now}"
        [row] = self.rows(f"{query} from backups_operation order by id desc limit 1")
        return dict(zip(columns, row, strict=True))

    def server_status(self) -> str:
        [(status,)] = self.rows("select status from backups_server")
        return str(status)

    def wait_for(self, is_so: Callable[[dict[str, Any]], bool], seconds: float = 40) -> None:
        # More often than wait_until: kills should fall at any step.
        deadline = time.monotonic() + seconds
        while not is_so(operation := self.operation()):
            assert time.monotonic() < deadline, (operation, self.log)
            time.sleep(0.01)

    def has_ended(self) -> bool:
        return self.operation()["state"] in ENDED

    def let_lapse(self) -> None:
        wait_until(lambda: self.has_ended() or self.operation()["is_lapsed"], 20)
        self.reap()


@pytest.fixture
def workshop(
    house: House,
    rows: Rows,
    server_image: str,
    free_port: Callable[[], int],
    container_name: Callable[[str], str],
    tmp_path: Path,
) -> Iterator[Workshop]:
    house.environment = {"DJANGO_SETTINGS_MODULE": "tests.actions.quick_settings"}
    house.manage("servers", "list")
    with Forks(house.variables()) as forks:
        workshop = Workshop(house, forks, rows, server_image, free_port(), tmp_path)
        container_name(workshop.name)
        yield workshop
        for worker in workshop.workers:
            if worker.poll() is None:
                os.killpg(worker.pid, signal.SIGCONT)
                workshop.kill(worker)


def containers_named(client: docker.DockerClient, name: str) -> list[tuple[str, str]]:
    found = client.containers.list(all=True, filters={"name": f"^/?{name}$"})
    return [(container.id, container.status) for container in found]


@pytest.mark.parametrize("round_", range(3))
def test_an_operation_outlives_workers_that_are_killed_at_any_moment(
    workshop: Workshop, docker_client: docker.DockerClient, round_: int
) -> None:
    workshop.ask_for_server()
    deaths = 0
    for _ in range(2):
        worker = workshop.start_worker()
        workshop.wait_for(lambda now, deaths=deaths: now["attempt"] > deaths)
        time.sleep(random.uniform(0, SECONDS))
        workshop.kill(worker)
        if workshop.has_ended():
            break
        deaths += 1
        workshop.let_lapse()

    workshop.start_worker()
    workshop.wait_for(lambda now: now["state"] in ENDED)

    operation = workshop.operation()
    assert (operation["state"], operation["attempt"]) == ("succeeded", deaths + 1), operation
    assert workshop.server_status() == "live"
    assert probe(workshop.url).is_live
    assert [state for _, state in containers_named(docker_client, workshop.name)] == ["running"]


def test_after_three_deaths_it_fails_with_the_reason_and_can_be_tried_again(
    workshop: Workshop, docker_client: docker.DockerClient
) -> None:
    workshop.ask_for_server()
    for death in range(3):
        worker = workshop.start_worker()
        workshop.wait_for(
            lambda now, death=death: now["attempt"] > death and "Starting" in now["step"]
        )
        workshop.kill(worker)
        assert workshop.operation()["state"] == "running"
        workshop.let_lapse()
    workshop.start_worker()
    workshop.wait_for(lambda now: now["state"] in ENDED)

    operation = workshop.operation()
    assert operation["state"] == "failed"
    assert "stopped 3 times" in operation["problem"]
    assert "Starting the container" in operation["problem"]
    assert workshop.server_status() == "unmade"
    assert containers_named(docker_client, workshop.name) == []

    workshop.house.manage("servers", "retry", workshop.name)
    assert workshop.server_status() == "live"


@pytest.mark.parametrize("percent", [0, 65, 75])
def test_a_worker_that_lost_its_lease_changes_nothing_any_more(
    workshop: Workshop, docker_client: docker.DockerClient, percent: int
) -> None:
    workshop.ask_for_server()
    frozen = workshop.start_worker()
    workshop.wait_for(lambda now: now["attempt"] == 1 and (now["percent"] or 0) >= percent)
    os.killpg(frozen.pid, signal.SIGSTOP)
    workshop.let_lapse()
    other = workshop.start_worker()
    workshop.wait_for(lambda now: now["state"] in ENDED)
    assert workshop.operation()["attempt"] == 2
    workshop.kill(other)
    tables = ("backups_operation", "backups_server", "backups_event")
    before = [workshop.rows(f"select * from {table}") for table in tables]
    made = containers_named(docker_client, workshop.name)

    os.killpg(frozen.pid, signal.SIGCONT)
    wait_until(lambda: "was taken over" in workshop.log, 60, lambda: workshop.log)

    assert [workshop.rows(f"select * from {table}") for table in tables] == before
    assert containers_named(docker_client, workshop.name) == made
    assert [state for _, state in made] == ["running"]
    assert workshop.server_status() == "live"


def test_many_workers_and_tasks_do_an_operation_once(workshop: Workshop) -> None:
    workers = [workshop.start_worker() for _ in range(3)]
    threads = [Path(f"/proc/{worker.pid}/task") for worker in workers]
    wait_until(lambda: all(len(list(of_one.iterdir())) > 2 for of_one in threads), 60)

    workshop.ask_for_server()
    workshop.python(
        "from backups.actions.operations import work_on_operation",
        "[work_on_operation.enqueue(1) for _ in range(9)]",
    )
    tasks = "select count(*) from django_tasks_database_dbtaskresult where status != 'SUCCESSFUL'"
    wait_until(lambda: workshop.rows(tasks) == [(0,)], 60, lambda: workshop.log)

    operation = workshop.operation()
    assert (operation["state"], operation["attempt"]) == ("succeeded", 1)
    assert len(re.findall(r"^live, ", operation["log"], re.MULTILINE)) == 1


def test_a_server_has_one_open_operation_over_all_processes(workshop: Workshop) -> None:
    workshop.ask_for_server()
    workshop.start_worker()
    workshop.wait_for(lambda now: now["state"] in ENDED)

    with ThreadPoolExecutor(4) as pool:
        ended = list(
            pool.map(
                lambda _: workshop.house.manage("servers", "restart", workshop.name, check=False),
                range(4),
            )
        )

    refused = [process for process in ended if process.returncode]
    assert len(refused) < 4
    assert {process.stderr for process in refused} <= {
        f"CommandError: Another operation on {workshop.name} is not finished yet. "
        "Wait for it, then try again.\n"
    }
    states = workshop.rows("select state, count(*) from backups_operation group by state")
    assert states == [("succeeded", 1 + 4 - len(refused))]
