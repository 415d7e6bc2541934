"""The terminal: commands as processes, their answers as JSON, their refusals as one sentence."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.rig.containers import PREFIX
from tests.rig.house import House
from tests.rig.servers import make_data_directory, owner_of


@pytest.fixture
def answer(house: House) -> Callable[..., Any]:
    """What a command prints as JSON, and nothing else."""

    def ask(*arguments: str) -> Any:
        done = house.manage(*arguments, "--json", check=False)
        assert (done.returncode, done.stderr) == (0, "")
        return json.loads(done.stdout)

    return ask


@pytest.fixture
def refusal(house: House) -> Callable[..., str]:
    """The one sentence of a command that refuses; nothing is on its other stream."""

    def ask(*arguments: str) -> str:
        done = house.manage(*arguments, check=False)
        assert (done.returncode, done.stdout) == (1, "")
        [line] = done.stderr.splitlines()
        assert line.startswith("CommandError: ")
        return line.removeprefix("CommandError: ")

    return ask


@pytest.fixture
def create_arguments(
    server_image: str,
    free_port: Callable[[], int],
    container_name: Callable[[str], str],
    tmp_path: Path,
) -> list[str]:
    """Name and options of a server that can be made here."""
    port = free_port()
    directory = make_data_directory(tmp_path)
    ids = [f"--{name}={number}" for name, number in owner_of(directory).items()]
    name = container_name(f"{PREFIX}{port}")
    return [
        *(name, "--image", server_image, "--bind", f"127.0.0.1:{port}", "--data", str(directory)),
        *ids,
    ]
