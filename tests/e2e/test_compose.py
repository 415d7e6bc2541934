"""The house in a container, from `docker compose up` to its first operator."""

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import docker
import pytest
from playwright.sync_api import Page, expect

from tests.rig import images
from tests.rig.compose import Project

SOCKET = Path("/var/run/docker.sock")


@pytest.fixture
def project(
    docker_client: docker.DockerClient, free_port: Callable[[], int], tmp_path: Path
) -> Iterator[Project]:
    """The house, built, started and healthy; nothing of it is left afterwards."""
    images.base("python:3.13-slim", "python3", "python3-pip")
    environment = {
        "DOCKER_GID": str(SOCKET.stat().st_gid),
        "RESTHOUSE_BIND": f"127.0.0.1:{free_port()}",
        "RESTHOUSE_SERVERS": str(tmp_path),
    }
    project = Project(f"resthouse-test-{os.getpid()}", environment)
    try:
        project.run("up", "--build", "--wait", "--wait-timeout=120")
        yield project
    finally:
        project.run("down", "--volumes", "--rmi=local", "--timeout=5")


def test_one_command_starts_a_house_that_reaches_the_engine(project: Project, page: Page) -> None:
    log = project.run("logs", "--no-log-prefix")
    house = f"http://{project.environment['RESTHOUSE_BIND']}"
    link = re.search(r"Set up: (\S+)", log)
    assert link, log

    page.goto(link[1])
    page.get_by_label("Name").fill("ines")
    page.get_by_label("Password").fill("a long enough word")
    page.get_by_label("The same again").fill("a long enough word")
    page.get_by_role("button", name="Open the house").click()
    expect(page).to_have_url(f"{house}/")
    page.goto(f"{house}/settings/")

    expect(page.get_by_text("The container engine")).to_contain_text("answers")
    page.goto(link[1])
    expect(page.get_by_role("button", name="Open the house")).to_be_hidden()
