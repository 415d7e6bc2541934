"""Users are changed by any number of processes, each of which may be killed at any moment."""

import json
import random
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from backups.engines.htpasswd import parse
from backups.engines.restserver import is_let_in
from tests.rig.containers import PREFIX
from tests.rig.forks import Forks
from tests.rig.house import House
from tests.rig.servers import make_data_directory, owner_of

Rows = Callable[..., list[tuple[Any, ...]]]
Hashes = dict[str, str]

ROUNDS_WITHOUT_SERVER, ROUNDS_LIVE = 180, 40
CHANGING = ["web-1", "web-2", "web-3"]
VERBS = ["add", "rotate", "disable", "enable", "delete"]


@pytest.fixture
def real_house(
    house: House,
    server_image: str,
    free_port: Callable[[], int],
    container_name: Callable[[str], str],
    tmp_path: Path,
) -> Iterator[House]:
    """A house with one server, made from the terminal."""
    port = free_port()
    directory = make_data_directory(tmp_path)
    ids = [f"--{name}={number}" for name, number in owner_of(directory).items()]
    name = container_name(f"{PREFIX}{port}")
    bind = ["--bind", f"127.0.0.1:{port}", "--data", str(directory)]
    house.environment = {**house.environment, "BCRYPT_COST": "4"}
    house.manage("servers", "create", name, "--image", server_image, *bind, *ids)
    return house


def test_eight_who_add_a_user_at_once_all_succeed(real_house: House, tmp_path: Path) -> None:
    names = [f"web-{number}" for number in range(8)]
    with ThreadPoolExecutor(8) as pool:
        ended = list(
            pool.map(lambda n: real_house.manage("users", "add", n, "--json", check=False), names)
        )

    assert [process.stderr for process in ended] == [""] * 8
    entries = parse((tmp_path / "data" / ".htpasswd").read_text()).entries
    assert {entry.name for entry in entries} == set(names)
    added = [json.loads(process.stdout) for process in ended]
    url = added[0]["repository"].removeprefix("rest:").removesuffix("web-0/")
    assert all(is_let_in(url, user["name"], user["password"]) for user in added)


class Watch:
    """What file and rows say of everybody, and that it fits together."""

    def __init__(self, file: Path, rows: Rows, bystanders: list[str]) -> None:
        self.file, self.rows = file, rows
        self.bystanders = {name: self.in_file()[name] for name in bystanders}
        self.known = self.book()[0]

    def in_file(self) -> Hashes:
        contents = parse(self.file.read_text())
        assert contents.problems == ()
        return {entry.name: entry.hash for entry in contents.entries}

    def book(self) -> tuple[Hashes, dict[str, list[str | None]]]:
        [(known, pending)] = self.rows("select known, pending from backups_usersfile")
        return json.loads(known), json.loads(pending)

    def look(self, target: str) -> None:
        """The file is what it was before or what the change makes of it, and nobody is lost."""
        found, (known, steps) = self.in_file(), self.book()
        for name in found.keys() | known.keys():
            assert found.get(name) in [known.get(name), *steps.get(name, [])], name
        assert {name: found.get(name) for name in self.bystanders} == self.bystanders
        assert _others(known, target) == _others(self.known, target)
        people = self.rows("select name, disabled, disabled_hash from backups_user")
        assert {name for name, disabled, _ in people if not disabled} == known.keys()
        assert all(hashed for _, disabled, hashed in people if disabled)
        self.known = known


def _others(known: Hashes, target: str) -> Hashes:
    return {name: hashed for name, hashed in known.items() if name != target}


def test_a_kill_at_any_moment_leaves_one_of_two_valid_states_and_loses_nobody(
    real_house: House, rows: Rows, tmp_path: Path
) -> None:
    bystanders = [
        json.loads(real_house.manage("users", "add", f"keep-{number}", "--json").stdout)
        for number in range(2)
    ]
    watch = Watch(tmp_path / "data" / ".htpasswd", rows, [one["name"] for one in bystanders])
    url = bystanders[0]["repository"].removeprefix("rest:").removesuffix("keep-0/")

    with Forks(real_house.variables()) as forks:
        # Without a container nothing is to be proven, so there is time for many rounds.
        rows("update backups_server set status = 'removed'")
        _kill_again_and_again(forks, watch, ROUNDS_WITHOUT_SERVER)
        rows("update backups_server set status = 'live'")
        _kill_again_and_again(forks, watch, ROUNDS_LIVE)
        assert forks.run("users", "list") == 0

    known, steps = watch.book()
    assert (watch.in_file(), steps) == (known, {})
    assert all(is_let_in(url, one["name"], one["password"]) for one in bystanders)


def _kill_again_and_again(forks: Forks, watch: Watch, rounds: int) -> None:
    # The first one warms the disk.
    for name in (f"first-{rounds}", f"second-{rounds}"):
        began = time.monotonic()
        assert forks.run("users", "add", name) == 0
        seconds = time.monotonic() - began
        watch.look(name)
    for number in range(rounds):
        target = random.choice(CHANGING)
        # Most of them would be refused for who is not there.
        verb = random.choice(VERBS if target in watch.known else ["add", "enable"])
        forks.run("users", verb, target, killed_within=seconds)
        watch.look(target)
        if number % 20 == 0:
            new = f"new-{number}-{rounds}"
            assert forks.run("users", "add", new) == 0
            watch.look(new)
