"""Containers that tests make, none of which outlives its test."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import docker

# Everything of these names may be removed at any time.
PREFIX = "resthouse-test-"


@contextmanager
def removed_at_the_end(client: docker.DockerClient) -> Iterator[Callable[[str], str]]:
    """Names of containers that a test makes; none of them outlives it."""
    names: list[str] = []

    def note(name: str) -> str:
        assert name.startswith(PREFIX)
        names.append(name)
        return name

    try:
        yield note
    finally:
        for name in names:
            # With what a change that was cut off has put aside.
            every = {"name": f"^/?{name}(\\.former)?$"}
            for container in client.containers.list(all=True, filters=every):
                container.remove(force=True, v=True)
