"""An agent that keeps all its state in a folder, and a dashboard that takes its reports."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from agent.resthouse_agent import Home
from tests.agent.dashboard import KEY, FakeDashboard, serve

PROGRAM = Path(__file__).parents[2] / "agent" / "resthouse_agent.py"
SAMPLES = Path(__file__).parents[1] / "samples" / "agent"


@pytest.fixture
def dashboard() -> Iterator[FakeDashboard]:
    with serve() as dashboard:
        yield dashboard


@pytest.fixture
def home(tmp_path: Path, dashboard: FakeDashboard) -> Home:
    """The folder of an agent that is enrolled at the dashboard."""
    home = Home(tmp_path / "agent")
    home.spool.mkdir(parents=True)
    home.config_file.write_text(json.dumps({"url": dashboard.url, "key": KEY, "host": "alpha"}))
    return home


@pytest.fixture
def agent(home: Home) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run the agent as a user does."""

    def run(verb: str, *words: str, **options: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, str(PROGRAM), verb, "--state", str(home.state), *words]
        environment = {**os.environ, **options}
        return subprocess.run(
            command, capture_output=True, text=True, env=environment, stdin=subprocess.DEVNULL
        )

    return run
