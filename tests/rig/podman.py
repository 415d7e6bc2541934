"""A real Podman beside Docker: its own socket, storage and locks, in a folder that goes with it."""

import fcntl
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import docker

from tests.rig.waiting import wait_until

PREFIX = "resthouse-podman-"
# Every limit is given, because Podman's own are beyond what root may have in a sandbox; and crun,
# its usual runtime, refuses control groups of both versions side by side.
CONFIGURATION = """
[containers]
default_ulimits = ["nofile=1024:1024", "nproc=4096:4096"]
log_driver = "k8s-file"
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
lock_type = "file"
"""
# A shell as the first process of its namespace reaps what Podman leaves behind.
SERVE = 'mount -t proc proc /proc; podman "$@" & wait $!'


def obstacle() -> str:
    """Why Podman cannot run here and how to change that; empty if it can."""
    if os.geteuid() != 0:
        return "Podman with published ports and folders of others needs root: sudo make test."
    if not shutil.which("podman"):
        return "The contract of an engine is run on Podman as well: apt-get install podman."
    return ""


@contextmanager
def served(image: Iterable[bytes]) -> Iterator[str]:
    """The address of an engine that has this image; its containers end with it."""
    _sweep()
    folder = Path(tempfile.mkdtemp(prefix=PREFIX))
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield from _served(folder, image)


def _sweep() -> None:
    """Remove what test runs left that were killed: nobody holds its lock."""
    for file in Path(tempfile.gettempdir()).glob(f"{PREFIX}*/lock"):
        with suppress(OSError), file.open() as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(file.parent)


def _served(folder: Path, image: Iterable[bytes]) -> Iterator[str]:
    process = _start(folder)
    address = f"unix://{folder}/podman.sock"
    try:
        wait_until((folder / "podman.sock").exists, 30, (folder / "log").read_text)
        with closing(docker.DockerClient(base_url=address, timeout=60)) as client:
            client.images.load(image)
            yield address
            for container in client.containers.list(all=True):
                container.remove(force=True, v=True)
    finally:
        # The first process of the namespace: it is gone when all the others are.
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        for init in map(int, children):
            os.kill(init, signal.SIGKILL)
        process.wait()
        shutil.rmtree(folder)


def _start(folder: Path) -> subprocess.Popen[bytes]:
    configuration = folder / "containers.conf"
    configuration.write_text(CONFIGURATION)
    # In namespaces of its own: its mounts and all its processes go with the first of them.
    unshare = ["unshare", "--mount", "--pid", "--fork", "--kill-child"]
    roots = [f"--root={folder}/root", f"--runroot={folder}/run", f"--tmpdir={folder}/tmp"]
    service = ["system", "service", "--time=0", f"unix://{folder}/podman.sock"]
    with (folder / "log").open("wb") as log:
        return subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", *unshare, "sh", "-c", SERVE, "sh", *roots, *service],
            env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "CONTAINERS_CONF": str(configuration)},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
