"""`manage.py run`: the whole house under one process, and nothing of it left afterwards."""

import multiprocessing
import os
import re
import signal
import socket
import stat
from datetime import timedelta
from pathlib import Path

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from backups.actions.operators import setup_token
from backups.management.supervisor import is_free
from backups.models import Operator
from dashboard.secret import secret_key
from tests.factories import make_operator
from tests.rig.house import House
from tests.rig.waiting import wait_until

FIRST = {
    "username": "ines",
    "email": "ines@example.org",
    "password": "a rather long one",
    "again": "a rather long one",
}
ROLES = {"supervisor", "granian", "worker", "scheduler"}


def processes_of(house: House) -> dict[int, str]:
    """All that run on its data, by what they are."""
    mark, found = f"RESTHOUSE_DATA={house.data}\0".encode(), {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            is_ours = mark in (folder / "environ").read_bytes() + b"\0"
            words = (folder / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if is_ours and words != [b""]:
            line = b" ".join(words).decode()
            found[int(folder.name)] = next((role for role in ROLES if role in line), line)
    return found


def pids_of(house: House, role: str) -> set[int]:
    return {pid for pid, what in processes_of(house).items() if what == role}


def main_process(pids: set[int]) -> int:
    """The one that started the others."""
    [main] = [
        pid for pid in pids if int(Path(f"/proc/{pid}/stat").read_text().split()[3]) not in pids
    ]
    return main


@pytest.mark.parametrize("how", ["Ctrl-C", "SIGTERM", "SIGHUP"])
def test_it_ends_without_a_trace(house: House, how: str) -> None:
    house.start()
    assert set(processes_of(house).values()) == ROLES
    assert house.process is not None
    pid = house.process.pid

    if how == "Ctrl-C":
        os.killpg(pid, signal.SIGINT)
    else:
        os.kill(pid, getattr(signal, how))

    house.process.wait(20)
    wait_until(lambda: not processes_of(house), 20, lambda: str(processes_of(house)))
    assert is_free("127.0.0.1", house.port)
    assert "Traceback" not in house.log.read_text()


def test_what_dies_is_started_again(house: House) -> None:
    house.start()
    before = {role: pids_of(house, role) for role in ROLES - {"supervisor"}}

    for pids in before.values():
        os.kill(main_process(pids), signal.SIGKILL)

    def is_whole_again() -> bool:
        now = {role: pids_of(house, role) for role in before}
        return all(now[role] and not now[role] & before[role] for role in before)

    wait_until(is_whole_again, 30, lambda: f"{before} {processes_of(house)}")
    wait_until(house.is_healthy, 30, house.log.read_text)


def test_a_killed_house_leaves_nobody_behind_and_starts_again(house: House) -> None:
    house.start()
    assert house.process is not None
    link = house.setup_link
    house.process.kill()
    house.process.wait()
    wait_until(lambda: not processes_of(house), 20, lambda: str(processes_of(house)))

    house.start()

    assert set(processes_of(house).values()) == ROLES
    # The key that signs the link is the same one.
    assert Path(link).name.partition(":")[0] == Path(house.setup_link).name.partition(":")[0]


def test_a_port_that_is_taken_is_said_in_one_sentence(house: House) -> None:
    with socket.create_server(("127.0.0.1", house.port)):
        done = house.manage("run", check=False)

    assert (done.returncode, done.stdout) == (1, "")
    sentence = rf"CommandError: 127.0.0.1:{house.port} is taken. Choose .+: --bind [\d.]+:\d+\n"
    assert re.fullmatch(sentence, done.stderr)


def test_of_many_first_starts_one_makes_the_key_for_its_owner_alone(tmp_path: Path) -> None:
    folders = [tmp_path / str(number) for number in range(10)]

    with multiprocessing.get_context("spawn").Pool(4) as pool:
        keys = pool.map(secret_key, [folder for folder in folders for _ in range(4)], chunksize=1)

    made = [keys[4 * number : 4 * number + 4] for number in range(10)]
    assert [len(set(of_one)) for of_one in made] == [1] * 10
    assert len(set(keys)) == 10
    for folder, of_one in zip(folders, made, strict=True):
        assert [path.name for path in folder.iterdir()] == ["secret-key"]
        assert stat.S_IMODE((folder / "secret-key").stat().st_mode) == 0o600
        assert (folder / "secret-key").read_text() == of_one[0] == secret_key(folder)


@pytest.mark.django_db
def test_the_set_up_link_makes_the_first_operator_and_no_second() -> None:
    address, other = f"/setup/{setup_token()}/", f"/setup/{setup_token()}/"

    assert Client().get(address).status_code == 200
    first = Client().post(address, FIRST)
    second = [Client().post(link, FIRST | {"username": "eve"}) for link in (address, other)]

    assert (first.status_code, first["Location"]) == (302, "/")
    assert [(answer.status_code, answer["Location"]) for answer in second] == [
        (302, "/account/login/")
    ] * 2
    [operator] = Operator.objects.all()
    assert (operator.username, operator.is_superuser) == ("ines", True)


@pytest.mark.django_db
@pytest.mark.parametrize("flaw", ["tampered", "a day old", "of another house", "nonsense"])
def test_a_link_that_is_not_good_opens_nothing(flaw: str, settings: object) -> None:
    token, now = setup_token(), timezone.now()
    if flaw == "tampered":
        token = token[:-1] + ("A" if token[-1] != "A" else "B")
    elif flaw == "a day old":
        now += timedelta(days=1, seconds=2)
    elif flaw == "of another house":
        settings.SECRET_KEY = "k" * 50
    else:
        token = re.sub(r"\w", "x", token)

    with time_machine.travel(now, tick=False):
        answers = [Client().get(f"/setup/{token}/"), Client().post(f"/setup/{token}/", FIRST)]

    assert [answer.status_code for answer in answers] == [403, 403]
    assert not Operator.objects.exists()


@pytest.mark.django_db
def test_an_old_link_never_opens_a_house_that_has_an_operator() -> None:
    address = f"/setup/{setup_token()}/"
    make_operator()

    assert Client().get(address)["Location"] == "/account/login/"
