"""`manage.py servers logs`."""

import json
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from backups.engines import restserver
from tests.rig import ROOT
from tests.rig.house import House
from tests.rig.waiting import wait_until

Answer = Callable[..., Any]


@pytest.fixture
def made(answer: Answer, create_arguments: list[str]) -> dict[str, Any]:
    found: dict[str, Any] = answer("servers", "create", *create_arguments, "--access-log")
    return found


@pytest.fixture
def followed(house: House, made: dict[str, Any]) -> Iterator[subprocess.Popen[str]]:
    words = ["servers", "logs", made["name"], "--follow", "--json", "--tail", "1"]
    process = subprocess.Popen(
        [sys.executable, "manage.py", *words],
        cwd=ROOT,
        env=house.variables(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    yield process
    process.kill()
    process.communicate()


def test_the_log_is_told_and_searched_and_our_probes_are_left_out(
    answer: Answer, refusal: Callable[..., str], house: House, made: dict[str, Any]
) -> None:
    name, url = made["name"], made["url"]
    restserver.is_let_in(url, "mallory", "guess")

    def found(*options: str) -> list[dict[str, Any]]:
        lines: list[dict[str, Any]] = answer("servers", "logs", name, *options)
        return lines

    wait_until(lambda: found("--search", "mallory"), 10)
    [refused] = found("--search", "mallory")
    assert refused["level"] == "warning"
    assert refused["meaning"].startswith("Refused: no password")
    assert refused["at"] > made["live_since"]
    assert not any(line["is_own_probe"] for line in found())
    assert any(line["is_own_probe"] for line in found("--probes"))
    assert len(found("--tail", "2")) == 2
    text = house.manage("servers", "logs", name).stdout
    assert "start server on [::]:8000\n" in text
    assert f"{'':21}warning: Refused: no password" in text

    assert "from 1 to 5000" in refusal("servers", "logs", name, "--tail", "0")
    assert "There is no server called nobody" in refusal("servers", "logs", "nobody")
    answer("servers", "remove", name)
    assert f"There is no container called {name}" in refusal("servers", "logs", name)


def test_the_log_is_followed_until_ctrl_c(
    followed: subprocess.Popen[str], made: dict[str, Any]
) -> None:
    assert followed.stdout is not None
    assert json.loads(followed.stdout.readline())["text"] == "start server on [::]:8000"

    restserver.is_let_in(made["url"], "mallory", "guess")

    # What came while the first line was printed is not lost.
    assert "/mallory/config" in json.loads(followed.stdout.readline())["text"]
    followed.send_signal(signal.SIGINT)
    assert (followed.wait(10), followed.stdout.read()) == (0, "")
