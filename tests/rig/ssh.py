"""A real sshd on loopback, and somebody who may sign in to it."""

import getpass
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.rig.waiting import wait_until

_CONFIG = """
ListenAddress 127.0.0.1:{port}
HostKey {folder}/host_key
AuthorizedKeysFile {folder}/authorized_keys
PidFile {folder}/sshd.pid
PasswordAuthentication no
UsePAM no
StrictModes no
PermitRootLogin yes
"""


@contextmanager
def sshd(folder: Path, port: int) -> Iterator[str]:
    """The address of an engine behind it; keys and known hosts lie in `folder`/.ssh."""
    home = folder / ".ssh"
    home.mkdir(parents=True, mode=0o700)
    for key in (folder / "host_key", home / "id_ed25519"):
        line = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)]
        subprocess.run(line, check=True)
    shutil.copy(home / "id_ed25519.pub", folder / "authorized_keys")
    host_key = " ".join((folder / "host_key.pub").read_text().split()[:2])
    (home / "known_hosts").write_text(f"[127.0.0.1]:{port} {host_key}\n")
    config = folder / "sshd_config"
    config.write_text(_CONFIG.format(port=port, folder=folder))
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(exist_ok=True)
    log = folder / "sshd.log"
    process = subprocess.Popen(["/usr/sbin/sshd", "-D", "-f", config, "-E", log])
    try:
        wait_until(lambda: log.exists() and "listening" in log.read_text(), 10)
        yield f"ssh://{getpass.getuser()}@127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(10)
