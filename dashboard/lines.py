"""The lines that a person pastes on a host, for one user of one server."""

import shlex
from dataclasses import dataclass, field

from backups.engines.restserver import repository_url
from backups.models import User

_PATHS = "/etc /home"


@dataclass(frozen=True, slots=True)
class Lines:
    """For restic since 0.16.1, which takes user and password as variables, and for all before."""

    path: str
    address: str
    second: str
    repository: str = field(repr=False)
    new: tuple[str, ...] = field(repr=False)
    old: tuple[str, ...] = field(repr=False)
    credential: str = field(repr=False)
    unit: str
    certificate: str


def lines_for(user: User, password: str = "", *, path: str = "") -> Lines:
    """For the repository that is at `path`, or for a first one under the user's own name.

    Without the password, the word PASSWORD stands in its place.
    """
    verbs = ([] if path else ["init"]) + [f"backup {_PATHS}"]
    secret, path = password or "PASSWORD", path or user.name
    address = repository_url(user.server.url, "", "", path)
    full = repository_url(user.server.url, user.name, secret, path)
    certificate = f"/etc/restic/{user.server.name}.pem" if user.server.has_tls else ""
    trust = f" --cacert {certificate}" if certificate else ""
    restic = f"restic -r {shlex.quote(address)}{trust}"
    return Lines(
        path=path,
        address=address,
        second=repository_url(user.server.url, "", "", f"{user.name}/second"),
        repository=full,
        new=(
            f"export RESTIC_REST_USERNAME={shlex.quote(user.name)} "
            f"RESTIC_REST_PASSWORD={shlex.quote(secret)}",
            *(f"{restic} {verb}" for verb in verbs),
        ),
        old=(
            # In a variable it is not seen in the list of processes.
            f"export RESTIC_REPOSITORY={shlex.quote(full)}",
            *(f"restic{trust} {verb}" for verb in verbs),
        ),
        credential=_credential(full),
        unit=_unit(trust),
        certificate=certificate,
    )


def _credential(full: str) -> str:
    return (
        "install -d -m 700 /etc/restic\n"
        f"install -m 600 /dev/stdin /etc/restic/repository <<'END'\n{full}\nEND"
    )


def _unit(trust: str) -> str:
    """With the variable, not %d: systemd 247 of Debian 11 does not know that yet."""
    return (
        "[Service]\n"
        "LoadCredential=repository:/etc/restic/repository\n"
        "LoadCredential=password:/etc/restic/password\n"
        "ExecStart=/usr/bin/restic --repository-file ${CREDENTIALS_DIRECTORY}/repository \\\n"
        f"  --password-file ${{CREDENTIALS_DIRECTORY}}/password{trust} backup {_PATHS}"
    )
