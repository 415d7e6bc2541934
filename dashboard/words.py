"""What pages say of servers and of long work: a mark, a word, and the rest of a headline."""

from dataclasses import dataclass

from backups.models import Operation, Server


@dataclass(frozen=True, slots=True)
class Word:
    """`state` is one of the look's; `predicate` ends a sentence that begins with the name."""

    state: str
    label: str
    predicate: str


@dataclass(frozen=True, slots=True)
class Setting:
    """One thing that a container is told, and what it means."""

    name: str
    value: str
    meaning: str
    is_safe: bool = True

    @property
    def is_flag(self) -> bool:
        return self.name.startswith("--")


_SERVER = {
    Server.Status.NEW: Word("running", "Being made", "is being made"),
    Server.Status.UNMADE: Word("failed", "Could not be made", "could not be made"),
    Server.Status.LIVE: Word("ok", "Live", "is live"),
    Server.Status.STOPPED: Word("off", "Stopped", "is stopped"),
    Server.Status.FAILED: Word("failed", "Does not answer", "does not answer"),
    Server.Status.GONE: Word("failed", "Container is gone", "has lost its container"),
    Server.Status.REMOVED: Word("off", "Removed, data kept", "has no container"),
    Server.Status.UNKNOWN: Word("warning", "Not seen", "cannot be seen now"),
}

# While it goes on, when it is done, when it failed.
_WORK = {
    Operation.Kind.CREATE_SERVER: ("is being made", "is live", "could not be made"),
    Operation.Kind.BUILD_IMAGE: ("waits for its image", "is live", "could not be made"),
    Operation.Kind.START_SERVER: ("is starting", "is live again", "did not start"),
    Operation.Kind.STOP_SERVER: ("is stopping", "is stopped", "could not be stopped"),
    Operation.Kind.RESTART_SERVER: ("is restarting", "is live again", "did not come back"),
    Operation.Kind.REMOVE_SERVER: ("is being removed", "is removed", "could not be removed"),
    Operation.Kind.CHANGE_SERVER: ("is changing over", "is changed", "was not changed"),
    Operation.Kind.UPGRADE_SERVER: ("is being upgraded", "is upgraded", "runs as before"),
    Operation.Kind.APPLY_CERTIFICATE: (
        "gets another certificate",
        "shows another certificate",
        "shows the certificate from before",
    ),
}


def word_of_operation(operation: Operation) -> Word:
    doing, done, failed = _WORK[Operation.Kind(operation.kind)]
    if operation.state == Operation.State.SUCCEEDED:
        return Word("ok", "Done", done)
    if operation.state == Operation.State.FAILED:
        return Word("failed", "Failed", failed)
    return Word("running", doing.removeprefix("is ").capitalize(), doing)


def word_of_server(server: Server, operation: Operation | None = None) -> Word:
    """What is done to it now says more than what it was before."""
    if operation is not None and operation.is_open:
        return word_of_operation(operation)
    if operation is not None and server.status == Server.Status.NEW:
        return _SERVER[Server.Status.UNMADE]
    return _SERVER[Server.Status(server.status)]


def settings_of(server: Server) -> list[Setting]:
    """What its container is told, flags first."""
    return [
        *_flags_of(server),
        Setting("Image", server.image, "What the container is made of"),
        Setting("Address", f"{server.address}:{server.port}", _reach_of(server)),
        Setting("Data", server.data_directory, f"Belongs to user {server.uid}"),
        Setting("Rights", "none, read-only root", "No capabilities, no new privileges"),
    ]


def _flags_of(server: Server) -> list[Setting]:
    append, private = server.is_append_only, server.has_private_repositories
    tls, metrics = server.has_tls, server.has_prometheus
    lowest = f", from {server.tls_min_version}" if server.tls_min_version else ""
    flags = [
        Setting(
            "--append-only",
            _on(append),
            "A host cannot delete what it has sent"
            if append
            else "A host that is broken into can delete its backups",
            append,
        ),
        Setting(
            "--private-repos",
            _on(private),
            "A user reaches only its own folder"
            if private
            else "Every user reaches every repository",
            private,
        ),
        Setting(
            "--tls", _on(tls) + (lowest if tls else ""), _line_of(server), tls or server.is_loopback
        ),
    ]
    if metrics:
        flags.append(Setting("--prometheus", "on", "Tells counters at /metrics"))
    if server.max_size is not None:
        flags.append(Setting("--max-size", f"{server.max_size:,} bytes", "Refuses what is more"))
    return flags


def _on(is_on: bool) -> str:  # noqa: FBT001
    return "on" if is_on else "off"


def _line_of(server: Server) -> str:
    if server.has_tls:
        return "The line is encrypted"
    if server.is_loopback:
        return "Not needed: nobody can listen within this machine"
    return "Passwords of users cross the network readable"


def _reach_of(server: Server) -> str:
    return "This machine alone reaches it" if server.is_loopback else "The network reaches it"
