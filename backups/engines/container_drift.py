"""What runs otherwise than it is wanted, thing by thing."""

from collections.abc import Iterator
from dataclasses import dataclass, fields, replace

from backups.engines.container_reading import Reading
from backups.engines.container_spec import Spec
from backups.engines.container_state import Mount
from backups.engines.restserver_options import Options
from backups.engines.sizes import size_text

# By its field what a difference is called; labels come and go with tools.
_WORDS = {
    "image": "Image",
    "address": "Address",
    "port": "Port",
    "data_directory": "Data",
    "data_target": "Data, inside",
    "uid": "User",
    "gid": "Group",
    "memory_limit": "Memory limit",
    "restart_policy": "Started again",
    "selinux_label": "SELinux label",
    "extra_options": "Other options",
    "extra_environment": "Other variables",
    "extra_mounts": "Other mounts",
    "network": "Network",
}
_OPTION_WORDS = {
    "is_append_only": "--append-only",
    "has_private_repositories": "--private-repos",
    "has_prometheus": "--prometheus",
    "has_tls": "--tls",
    "tls_min_version": "--tls-min-ver",
    "max_size": "--max-size",
    "has_access_log": "--log",
    "proxy_header": "--proxy-auth-username",
}
_SIZES = frozenset({"memory_limit", "max_size"})
_SAFE_SHAPE = "The safe shape"


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that runs otherwise than it is wanted."""

    name: str
    wanted: str
    found: str


def differences(wanted: Spec, found: Reading, *, is_ours: bool) -> list[Difference]:
    """What runs otherwise; of a container of ours also what of the safe shape is gone."""
    wanted = _as_read(wanted)
    was = [
        Difference(_WORDS[field.name], *_both(field.name, getattr(wanted, field.name), now))
        for field in fields(Spec)
        if field.name in _WORDS.keys() - found.untold
        and (now := getattr(found.spec, field.name)) != getattr(wanted, field.name)
        and not (field.name == "image" and _is_same_image(wanted.image, now))
    ]
    was += _option_differences(wanted.options, found.spec.options)
    if is_ours and found.left_out:
        was.append(Difference("Besides", "none", ", ".join(found.left_out)))
    if found.other_ports:
        was.append(Difference("Other ports", "none", ", ".join(found.other_ports)))
    if is_ours and found.loose:
        was.append(Difference(_SAFE_SHAPE, "all of it", f"without {', '.join(found.loose)}"))
    return was


def _is_same_image(wanted: str, found: str) -> bool:
    """Podman gives the whole name of what has a short one with Docker."""
    wheres = ("localhost/", "docker.io/", "docker.io/library/")
    return found in {f"{where}{wanted}" for where in wheres}


def _as_read(wanted: Spec) -> Spec:
    """As its own container would be read back: what has no effect is no difference."""
    options, extra = Options.parse(wanted.environment["OPTIONS"])
    return replace(
        wanted,
        options=options,
        extra_options=extra,
        selinux_label=wanted.selinux_label if wanted.relabelled else "",
        restart_policy=wanted.restart_policy.removesuffix(":0"),
    )


def _option_differences(wanted: Options, found: Options) -> Iterator[Difference]:
    for name, word in _OPTION_WORDS.items():
        before, now = getattr(wanted, name), getattr(found, name)
        if before != now:
            yield Difference(word, *_both(name, before, now))


def _both(name: str, wanted: object, found: object) -> tuple[str, str]:
    if name in _SIZES:
        return _size(wanted), _size(found)
    return _words(wanted), _words(found)


def _size(value: object) -> str:
    return size_text(value) if isinstance(value, int) else "none"


def _words(value: object) -> str:
    """As a page shows it; of variables, which may hold secrets, the names alone."""
    match value:
        case bool():
            return "on" if value else "off"
        case None | "" | () | {}:
            return "none"
        case dict():
            return ", ".join(sorted(value))
        case tuple():
            return " ".join(
                f"{one.source or one.kind}:{one.target}" if isinstance(one, Mount) else str(one)
                for one in value
            )
    return str(value)
