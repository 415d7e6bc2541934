"""What the tests need of Debian's packages, installed where root may do so."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

# Package: the program or file that proves it. The engine's package is scripts/engine's business.
NEEDED = {
    "ca-certificates": "/etc/ssl/certs/ca-certificates.crt",
    "chromium": "/usr/bin/chromium",
    "curl": "curl",
    "debootstrap": "debootstrap",
    "docker-registry": "docker-registry",
    "fonts-dejavu-core": "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf",
    "iproute2": "ip",
    "openssh-server": "/usr/sbin/sshd",
    "openssl": "openssl",
    "podman": "podman",
    "restic": "restic",
    "systemd": "systemd-analyze",
}


def absent() -> list[str]:
    """The packages whose program or file is not here."""
    return [
        package
        for package, proof in NEEDED.items()
        if not (Path(proof).exists() if proof.startswith("/") else shutil.which(proof))
    ]


def install() -> None:
    """Install what is absent, or say the command that does."""
    packages = absent()
    if not packages:
        return
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        sys.stderr.write(f"Some tests need: sudo apt-get install {' '.join(packages)}\n")
        return
    sys.stderr.write(f"Installing what the tests need: {' '.join(packages)}\n")
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    apt = ["apt-get", "-qq", "-o", "DPkg::Lock::Timeout=300"]
    subprocess.run([*apt, "update"], check=True, env=environment)
    subprocess.run(
        [*apt, "install", "--no-install-recommends", *packages],
        check=True,
        env=environment,
        stdout=subprocess.DEVNULL,
    )
