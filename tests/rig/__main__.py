"""`make test`: bring what is missing, run pytest, end what was started."""

import shutil
import signal
import subprocess
import sys

from tests.rig import RIG, ROOT, hosts, images, packages

ENGINE = ROOT / "scripts" / "engine"
# Most of a test is waiting for real parts, so there are more processes than cores; the tests of
# a file share what it started.
SIDE_BY_SIDE = ["--numprocesses=3", "--dist=loadfile", "--no-loadscope-reorder"]


def main(arguments: list[str]) -> int:
    """Prepare the real parts and hand over to pytest; its exit code."""
    RIG.mkdir(exist_ok=True)
    packages.install()
    try:
        has_engine = subprocess.run([ENGINE, "start", RIG]).returncode == 0
        if has_engine and shutil.which("docker"):
            images.server()
        if not hosts.obstacle():
            hosts.tree("bookworm")
        return _pytest(arguments)
    finally:
        subprocess.run([ENGINE, "stop", RIG])


def _pytest(arguments: list[str]) -> int:
    # A run in the background of a script inherits an ignored Ctrl-C, and so would all that is
    # tried with it below.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    process = subprocess.Popen(
        [sys.executable, "-m", "pytest", *SIDE_BY_SIDE, *arguments], cwd=ROOT
    )
    # Ctrl-C reaches pytest as well, which then takes its fixtures down: wait for that.
    signal.signal(signal.SIGINT, lambda *_: None)
    signal.signal(signal.SIGTERM, lambda *_: process.send_signal(signal.SIGINT))
    return process.wait()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
