import json
from pathlib import Path

import docker
import pytest

from backups.engines.container_images import pull_progress
from backups.engines.containers import Containers
from backups.engines.errors import EngineError

SAMPLES = Path(__file__).parents[1] / "samples" / "containers"


def test_an_image_is_built_step_by_step(
    containers: Containers, tmp_path: Path, server_image: str, docker_client: docker.DockerClient
) -> None:
    tag = "resthouse/built-by-a-test:latest"
    (tmp_path / "Dockerfile").write_text("ARG BASE\nFROM ${BASE}\nLABEL a=b\nLABEL c=d\n")
    assert not containers.has_image(tag)
    try:
        steps = list(containers.build(tmp_path, tag, {"BASE": server_image}))
        assert containers.has_image(tag)
    finally:
        docker_client.images.remove(tag, force=True)

    percents = [step.percent for step in steps if step.percent is not None]
    assert percents == sorted(percents)
    assert (percents[0], percents[-1]) == (0, 100)
    assert "Step 3/4 : LABEL a=b" in [step.sentence for step in steps]


def test_an_image_that_cannot_be_built_says_why(
    containers: Containers, tmp_path: Path, server_image: str
) -> None:
    (tmp_path / "Dockerfile").write_text(f"FROM {server_image}\nRUN echo the reason >&2; exit 7\n")

    with pytest.raises(EngineError, match="the reason"):
        list(containers.build(tmp_path, "resthouse/never:test", {}))


def test_the_progress_of_a_pull_only_grows() -> None:
    lines = (SAMPLES / "pull.ndjson").read_text().splitlines()

    steps = list(pull_progress("some/image", map(json.loads, lines)))

    percents = [step.percent for step in steps[1:]]
    assert percents == sorted(percents)
    assert steps[-1].percent == 100
    assert steps[-1].sentence == "Pulling some/image: 3 of 3 layers"


def test_a_pull_that_breaks_off_is_an_error() -> None:
    events = [{"status": "Waiting", "id": "a"}, {"error": "unexpected EOF"}]

    with pytest.raises(EngineError, match="unexpected EOF"):
        list(pull_progress("some/image", iter(events)))
