"""The folder of a container's data, where the engine makes one that is missing."""

import io
import tarfile
from collections.abc import Iterable
from itertools import islice

import docker
from docker.models.containers import Container as DockerContainer

from backups.engines.container_engine import is_podman
from backups.engines.container_spec import WITNESS, Spec
from backups.engines.errors import EngineError


def insist_on_folder(client: docker.DockerClient, container: DockerContainer, spec: Spec) -> None:
    """Where its disk is not mounted, a server must not begin anew beside the former backups."""
    # Docker refuses by itself. What root makes for root is told by its owner, if that is another.
    if spec.mount_kind == "volume" or not spec.uid or not is_podman(client):
        return
    chunks, _ = container.get_archive(WITNESS if spec.relabelled else spec.data_target)
    if _is_of_podman(chunks):
        container.remove()
        raise EngineError(
            f"There is no folder {spec.data_directory} on the machine of the engine, or it is "
            "empty and belongs to root, as Podman makes it. Mount its disk, or make the folder: "
            f"sudo install -d -o {spec.uid} -g {spec.gid} {spec.data_directory}"
        )


def _is_of_podman(chunks: Iterable[bytes]) -> bool:
    """By the folder's own entry and that of a first file in it; the rest may be terabytes."""
    beginning = io.BytesIO(b"".join(islice(chunks, 4)))
    with tarfile.open(fileobj=beginning) as archive:
        folder, first = archive.next(), archive.next()
    # The number is that of the container's user, whoever owns it; the name is the owner's.
    return folder is not None and (folder.uname, folder.mode, first) == ("root", 0o755, None)
