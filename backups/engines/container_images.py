"""Images: pulled or built, with their progress in words."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import docker
from docker.errors import APIError
from docker.utils import parse_repository_tag

from backups.engines.errors import EngineError

_STEP = re.compile(r"Step (\d+)/(\d+) : (.+)", re.DOTALL)
_LAYER_ENDS = frozenset({"Pull complete", "Already exists"})
# A layer's download is most of its way; the rest is unpacking.
_DOWNLOADED = 0.8


@dataclass(frozen=True, slots=True)
class PullProgress:
    """How far it is; no percentage before the number of layers is known."""

    percent: int | None
    sentence: str


@dataclass(slots=True)
class _Layers:
    """What has come of each layer so far, from 0 to 1."""

    shares: dict[str, float] = field(default_factory=dict)
    percent: int = 0

    def take(self, event: dict[str, Any]) -> bool:
        """True when the event was about a layer."""
        layer, status = event.get("id", ""), event.get("status", "")
        detail = event.get("progressDetail") or {}
        if status in _LAYER_ENDS:
            self.shares[layer] = 1.0
        elif status in {"Download complete", "Extracting", "Verifying Checksum"}:
            self.shares[layer] = max(self.shares.get(layer, 0.0), _DOWNLOADED)
        elif status == "Downloading" and detail.get("total"):
            self.shares[layer] = _DOWNLOADED * detail["current"] / detail["total"]
        elif status in {"Pulling fs layer", "Waiting"}:
            self.shares.setdefault(layer, 0.0)
        else:
            return False
        share = sum(self.shares.values()) / len(self.shares)
        # A layer that is announced late must not turn the bar back.
        self.percent = max(self.percent, int(100 * share))
        return True

    @property
    def complete(self) -> int:
        return sum(1 for share in self.shares.values() if share == 1.0)


def pull(client: docker.DockerClient, image: str) -> Iterator[PullProgress]:
    repository, tag = parse_repository_tag(image)
    try:
        # Without a tag the whole repository would come.
        events = client.api.pull(repository, tag=tag or "latest", stream=True, decode=True)
    except APIError as error:
        raise EngineError(_not_had(image, str(error.explanation))) from error
    yield from pull_progress(image, events)


def pull_progress(image: str, events: Iterator[dict[str, Any]]) -> Iterator[PullProgress]:
    layers = _Layers()
    last = PullProgress(None, f"Pulling {image}")
    yield last
    error = ""
    for event in events:
        # Read to the end, else the connection would stay open.
        error = event.get("error", error)
        if not layers.take(event):
            continue
        count = f"{layers.complete} of {len(layers.shares)} layers"
        step = PullProgress(layers.percent, f"Pulling {image}: {count}")
        if step != last:
            yield (last := step)
    if error:
        raise EngineError(_not_had(image, error))


def build(
    client: docker.DockerClient, directory: Path, tag: str, buildargs: dict[str, str]
) -> Iterator[PullProgress]:
    """Through the engine's own builder; packages are reached as from the host itself."""
    events = client.api.build(
        path=str(directory),
        tag=tag,
        buildargs=buildargs,
        decode=True,
        rm=True,
        forcerm=True,
        network_mode="host",
    )
    yield from build_progress(tag, events)


def build_progress(tag: str, events: Iterator[dict[str, Any]]) -> Iterator[PullProgress]:
    percent, said = 0, ""
    for event in events:
        if "error" in event:
            because = f" Before that: {said}" if said else ""
            raise EngineError(f"{tag} could not be built: {event['error'].strip()}.{because}")
        text = str(event.get("stream", "")).strip()
        if not text or text.startswith("--->"):
            continue
        if step := _STEP.fullmatch(text):
            percent = 100 * (int(step[1]) - 1) // int(step[2])
        else:
            said = text.splitlines()[-1]
        yield PullProgress(percent, text.splitlines()[0])
    yield PullProgress(100, f"{tag} is built.")


def _not_had(image: str, reason: str) -> str:
    return (
        f"The image {image} could not be pulled: {reason.strip().rstrip('.')}. "
        "Check its name and the way to its registry, or build it here."
    )
