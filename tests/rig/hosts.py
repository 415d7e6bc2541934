"""Real systemd hosts: Debian trees made once by debootstrap, booted in namespaces of their own."""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from tests.rig import RIG, ROOT, only_one, recipe_of

PACKAGES = (
    "systemd",
    "systemd-sysv",
    "dbus",
    "restic",
    "ca-certificates",
    "python3",
    "procps",
    "iproute2",
    "curl",
)
# They would reach for the network, or for the kernel that all share.
MASKED = (
    "apt-daily.timer",
    "apt-daily-upgrade.timer",
    "systemd-modules-load.service",
    "systemd-sysctl.service",
)
BOOT = Path(__file__).with_name("boot.sh")
BOOT_SECONDS = 90
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def obstacle() -> str:
    """Why no host can be booted here and how to change that; empty if one can."""
    if os.geteuid() != 0:
        return "A real systemd host needs root: sudo make test."
    if not shutil.which("debootstrap"):
        return "A real systemd host is made by debootstrap: apt-get install debootstrap."
    if not _cgroup_mount():
        return "A real systemd host needs control groups of version 2, mounted."
    return ""


def tree(suite: str) -> Path:
    """The root file system of a Debian release, made anew when its recipe changed."""
    path, stamp = RIG / "hosts" / suite, RIG / "hosts" / f"{suite}.recipe"
    recipe = recipe_of(suite, *PACKAGES, *MASKED)
    with only_one(f"host-{suite}"):
        if not stamp.exists() or stamp.read_text() != recipe:
            stamp.unlink(missing_ok=True)
            shutil.rmtree(path, ignore_errors=True)
            _debootstrap(suite, path)
            _settle(path)
            stamp.write_text(recipe)
    return path


def _debootstrap(suite: str, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    mirror = subprocess.run(
        [ROOT / "scripts" / "debian-mirror"], capture_output=True, text=True, check=True
    ).stdout.split()
    # In a mount namespace of its own: whatever debootstrap leaves mounted goes with it.
    command = ["unshare", "--mount", "debootstrap", "--variant=minbase"]
    command += [f"--include={','.join(PACKAGES)}", suite, str(path), *mirror]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"debootstrap of {suite}: {done.stdout[-2000:]}{done.stderr}")


def _settle(path: Path) -> None:
    """Make the tree one that boots as a new machine each time and keeps quiet."""
    (path / "etc/machine-id").write_text("")
    for unit in MASKED:
        (path / "etc/systemd/system" / unit).symlink_to("/dev/null")
    for folder in ("var/cache/apt", "var/lib/apt/lists"):
        shutil.rmtree(path / folder)
        (path / folder / "partial").mkdir(parents=True)


class Host:
    """A booted Debian host; it shares the network of this machine and nothing else."""

    def __init__(self, suite: str, name: str = "", disk: Path | None = None) -> None:
        """With a folder as its disk, it can lose its power and boot again."""
        self.name = name or f"{suite}-host"
        self.log = RIG / "hosts" / f"{self.name}.log"
        self._boot = ["sh", str(BOOT), str(tree(suite)), self.name]
        self._boot += [str(disk)] if disk else []
        self.boot()

    def boot(self) -> None:
        """Switch it on; it has not started everything yet."""
        self._cgroup = _new_cgroup()
        # The last line of defence: the host dies with this process, however that ends. It is the
        # thread that dies with, so whoever boots in threads must let them live.
        enter = f'echo $$ >"{self._cgroup}/cgroup.procs"; exec setpriv --pdeathsig KILL "$@"'
        namespaces = ["--pid", "--mount", "--uts", "--ipc", "--cgroup"]
        unshare = ["unshare", "--fork", "--kill-child", *namespaces]
        with self.log.open("w") as log:
            self._process = subprocess.Popen(
                ["sh", "-c", enter, "sh", *unshare, *self._boot],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def wait_until_booted(self) -> None:
        """Return when systemd has started everything; RuntimeError if that takes too long."""
        deadline = time.monotonic() + BOOT_SECONDS
        state = ""
        while self._process.poll() is None and time.monotonic() < deadline:
            if self._has_init():
                state = self.run("systemctl is-system-running", check=False).stdout.strip()
                if state in {"running", "degraded"}:
                    return
            time.sleep(0.2)
        raise RuntimeError(f"{self.name} did not boot ({state}): {self.log.read_text()[-2000:]}")

    def run(
        self,
        command: str | Sequence[str],
        *,
        check: bool = True,
        input: str | None = None,  # noqa: A002  as subprocess.run calls it
        timeout: int = 120,
    ) -> subprocess.CompletedProcess[str]:
        """Run a command as root on the host; a string is one for its shell."""
        words = ["sh", "-c", command] if isinstance(command, str) else list(command)
        enter = ["nsenter", "--target", str(self._init()), "--all", "--root", "--wd"]
        environment = ["env", "-i", f"PATH={PATH}", "HOME=/root", "LANG=C.UTF-8", "TERM=dumb"]
        done = subprocess.run(
            [*enter, *environment, "timeout", str(timeout), *words],
            input=input,
            stdin=subprocess.DEVNULL if input is None else None,
            capture_output=True,
            text=True,
        )
        if check and done.returncode:
            error = subprocess.CalledProcessError(done.returncode, words, done.stdout, done.stderr)
            error.add_note(f"{done.stdout[-2000:]}{done.stderr[-2000:]}")
            raise error
        return done

    def write(self, path: str, text: str, mode: int = 0o644) -> None:
        """Write a file on the host, with the folders it needs."""
        self.run(["install", "-D", f"--mode={mode:o}", "/dev/stdin", path], input=text)

    def read(self, path: str) -> str:
        """The text of a file on the host."""
        return self.run(["cat", path]).stdout

    def cut_power(self) -> None:
        """Kill its init, and with it all that runs, in the middle of whatever that does."""
        os.kill(self._init(), signal.SIGKILL)
        self._process.wait()
        _remove_cgroup(self._cgroup)

    def stop(self) -> None:
        """End the host at once: its namespaces, and with them all its mounts, go with its init."""
        self._process.kill()
        self._process.wait()
        _remove_cgroup(self._cgroup)

    def _init(self) -> int:
        process = self._process.pid
        return int(Path(f"/proc/{process}/task/{process}/children").read_text())

    def _has_init(self) -> bool:
        with suppress(OSError, ValueError):
            return Path(f"/proc/{self._init()}/comm").read_text().strip() == "systemd"
        return False


def _cgroup_mount() -> str:
    """Where version 2 is mounted: also beside version 1, as the hybrid layout has it."""
    mounts = [line.split() for line in Path("/proc/self/mounts").read_text().splitlines()]
    return next((fields[1] for fields in mounts if fields[2] == "cgroup2"), "")


def _new_cgroup() -> Path:
    """A group under this process's own, so that the host's systemd manages no other's."""
    lines = Path("/proc/self/cgroup").read_text().splitlines()
    own = next(line.removeprefix("0::") for line in lines if line.startswith("0::"))
    parent = f"{_cgroup_mount()}{own}"
    return Path(tempfile.mkdtemp(prefix="resthouse-host-", dir=parent))


def _remove_cgroup(cgroup: Path) -> None:
    """Remove a group and those within it; a dying process may hold one for a moment."""
    for _ in range(50):
        for folder, _folders, _files in os.walk(cgroup, topdown=False):
            with suppress(OSError):
                Path(folder).rmdir()
        if not cgroup.exists():
            return
        with suppress(OSError):
            (cgroup / "cgroup.kill").write_text("1")
        time.sleep(0.1)
