"""docker compose and buildx: the machine's own, or those of Debian 13's packages beside it."""

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.rig import RIG, ROOT, only_one

PLUGINS = ("docker-compose", "docker-buildx")
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"


@dataclass(frozen=True, slots=True)
class Project:
    """compose.yml under a name of its own, beside whatever else runs from it."""

    name: str
    environment: dict[str, str]

    def run(self, *arguments: str, check: bool = True) -> str:
        """`docker compose ARGUMENTS`; what it printed."""
        done = subprocess.run(
            ["docker", "compose", "--project-name", self.name, *arguments],
            cwd=ROOT,
            env=_environment() | self.environment,
            capture_output=True,
            text=True,
        )
        if check and done.returncode:
            logs = self.run("logs", "--no-log-prefix", "--tail=50", check=False)
            raise RuntimeError(f"compose {arguments[0]} failed: {done.stderr[-4000:]}{logs}")
        return done.stdout


def _environment() -> dict[str, str]:
    """An environment in which `docker compose` works; RuntimeError where it cannot be had."""
    if _works(dict(os.environ)):
        return dict(os.environ)
    config = RIG / "docker"
    ours = os.environ | {"DOCKER_CONFIG": str(config)}
    with only_one("compose"):
        if not _works(ours):
            _unpack(config / "cli-plugins")
    if not _works(ours):
        raise RuntimeError("docker compose does not work with the plugins of Debian 13.")
    return ours


def _works(environment: dict[str, str]) -> bool:
    commands = (["docker", plugin, "version"] for plugin in ("compose", "buildx"))
    return all(
        subprocess.run(command, env=environment, capture_output=True).returncode == 0
        for command in commands
    )


def _unpack(plugins: Path) -> None:
    """Take the two packages from Debian 13 without installing them: they need only its libc."""
    work = RIG / "compose"
    for folder in (work / "lists" / "partial", work / "root", plugins):
        folder.mkdir(parents=True, exist_ok=True)
    mirror = _run("scripts/debian-mirror", cwd=ROOT).strip()
    sources = work / "sources.list"
    sources.write_text(f"deb [signed-by={KEYRING}] {mirror} trixie main\n")
    options = {
        "Dir::Etc::sourcelist": sources,
        "Dir::Etc::sourceparts": "-",
        "Dir::State::lists": work / "lists",
        "Dir::Cache::pkgcache": "",
        "Dir::Cache::srcpkgcache": "",
        "APT::Sandbox::User": "root",
    }
    apt = ["apt-get", "-qq", *(f"-o{name}={value}" for name, value in options.items())]
    _run(*apt, "update", cwd=work)
    _run(*apt, "download", *PLUGINS, cwd=work)
    for package in work.glob("*.deb"):
        _run("dpkg-deb", "--extract", str(package), "root", cwd=work)
        package.unlink()
    for plugin in (work / "root/usr/libexec/docker/cli-plugins").iterdir():
        plugin.rename(plugins / plugin.name)


def _run(*command: str, cwd: Path) -> str:
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{command[0]} failed: {(done.stderr or done.stdout)[-2000:]}")
    return done.stdout
