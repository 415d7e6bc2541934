"""One look at a container: how it is, as what it was made, and the word it ended with."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import docker
from docker.errors import ImageNotFound
from docker.models.containers import Container as DockerContainer
from docker.utils import parse_repository_tag

from backups.engines.container_reading import Reading, read
from backups.engines.container_state import Container
from backups.engines.errors import EngineError


@dataclass(frozen=True, slots=True)
class Sight:
    """What the engine says of it now; `digest` is the image's in the registry that it came from."""

    container: Container
    reading: Reading | None
    unreadable: str
    digest: str

    def as_mapping(self) -> dict[str, Any]:
        """For a row that pages read; nothing in it can be a secret."""
        found = self.container
        return {
            "state": found.state,
            "health": found.health,
            "started": _text(found.started),
            "restarts": found.restart_count,
            "exit_code": found.exit_code,
            "ended": "" if found.is_running else found.exit_reason,
            "image_id": found.image_id,
            "digest": self.digest,
        }


def look(client: docker.DockerClient, container: DockerContainer) -> Sight:
    image = _image_of(client, container.attrs["Image"])
    found = Container.from_inspection(container.attrs)
    digest = _digest_of(found.image, image.get("RepoDigests") or [])
    try:
        return Sight(found, read(container.attrs, image), "", digest)
    except EngineError as error:
        return Sight(found, None, str(error), digest)


def _digest_of(image: str, digests: list[str]) -> str:
    """In the registry of this name; the same image may have been pushed to others as well."""
    repository, _ = parse_repository_tag(image)
    for name, _, digest in (one.partition("@") for one in digests):
        # Podman writes out which registry is meant.
        if name == repository or name.endswith(f"/{repository}"):
            return digest
    return ""


def _image_of(client: docker.DockerClient, image: str) -> dict[str, Any]:
    """An image may be deleted by force while its container runs."""
    try:
        found: dict[str, Any] = client.api.inspect_image(image)  # type: ignore[no-untyped-call]
    except ImageNotFound:
        return {}
    return found


def _text(moment: datetime | None) -> str:
    return moment.isoformat() if moment else ""
