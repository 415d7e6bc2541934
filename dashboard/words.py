"""What pages say of servers and of long work: a mark, a word, and the rest of a headline."""

from collections.abc import Iterator
from dataclasses import dataclass

from backups.engines.sizes import size_text
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
    Operation.Kind.RETURN_SERVER: ("is being put back", "is as it is wanted", "was not put back"),
    Operation.Kind.ERASE_SERVER: ("is losing its data", "has no data any more", "was not erased"),
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
        Setting("Data", server.data_directory, _kind_of_data(server)),
        Setting("User", f"{server.uid}:{server.gid}", *_user_of(server)),
        *_rights_of(server),
        Setting("Started again", server.restart_policy, _POLICIES[server.restart_policy[:10]]),
        *_container_of(server),
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
        flags.append(Setting("--max-size", size_text(server.max_size), "Refuses what is more"))
    if server.has_access_log:
        flags.append(Setting("--log", "on", "Writes a line for each request"))
    if server.proxy_header:
        flags.append(
            Setting("--proxy-auth-username", server.proxy_header, *_proxy_of(server.is_loopback))
        )
    if server.extra_options:
        words = server.extra_options
        flags.append(
            Setting("Other options", words, *_foreign(is_open="--no-auth" in words.split()))
        )
    return flags


def _proxy_of(is_local: bool) -> tuple[str, bool]:  # noqa: FBT001
    if is_local:
        return "Asks no password: it believes the proxy in front of it", True
    return "Whoever reaches its port past the proxy is any user", False


def _foreign(*, is_open: bool) -> tuple[str, bool]:
    if is_open:
        return "Whoever reaches its port reads and deletes everything", False
    return "Resthouse has no switch for them, and passes them on", True


def _kind_of_data(server: Server) -> str:
    return "A volume of the engine" if server.is_volume else "A folder of the engine's machine"


def _user_of(server: Server) -> tuple[str, bool]:
    if server.uid == 0:
        return "Runs as root, and the files belong to root", False
    return "Owns the files of its data", True


def _rights_of(server: Server) -> Iterator[Setting]:
    if server.is_adopted:
        meaning = "As somebody else made it; the next change takes its rights away"
        yield Setting("Rights", "as it was made", meaning, is_safe=False)
    else:
        yield Setting("Rights", "none, read-only root", "No capabilities, no new privileges")


def _container_of(server: Server) -> Iterator[Setting]:
    if server.memory_limit is not None:
        yield Setting("Memory limit", size_text(server.memory_limit), "Is killed if it needs more")
    if server.selinux_label:
        shared = "Other containers may use it, too" if server.selinux_label == "z" else "Its own"
        yield Setting("SELinux label", server.selinux_label, shared)
    if variables := server.extras.get("environment"):
        yield Setting("Other variables", ", ".join(sorted(variables)), "Passed on as they were")
    if mounts := server.extras.get("mounts"):
        places = ", ".join(mount[2] for mount in mounts)
        yield Setting("Other mounts", places, "Passed on as they were")
    if network := server.extras.get("network"):
        yield Setting("Network", network, "Of the engine")
    if server.engine:
        yield Setting("Engine", server.engine, "Another one than that of this machine")


# By their first ten letters, which leaves out how often it may fail.
_POLICIES = {
    "unless-sto": "Always, unless somebody stopped it",
    "always": "Always, even if somebody stopped it",
    "on-failure": "When it has failed",
    "no": "Never: after a restart of the machine no backup arrives",
}


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
