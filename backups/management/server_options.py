"""The options of a server as words of a command, and as the fields that they set."""

import argparse
from typing import Any

from backups.engines.errors import EngineError
from backups.management.noun import Option

_SWITCHES = {
    "append-only": "is_append_only",
    "private-repos": "has_private_repositories",
    "tls": "has_tls",
    "prometheus": "has_prometheus",
    "access-log": "has_access_log",
}
_VALUES: dict[str, tuple[str, type, str]] = {
    "image": ("image", str, "NAME:TAG"),
    "tls-min-version": ("tls_min_version", str, "1.2 or 1.3"),
    "max-size": ("max_size", int, "bytes; 0: without a limit"),
    "memory-limit": ("memory_limit", int, "bytes; 0: without a limit"),
    "restart-policy": ("restart_policy", str, "no, on-failure, unless-stopped or always"),
    "uid": ("uid", int, "of the container's user"),
    "gid": ("gid", int, "of its group"),
    "proxy-header": ("proxy_header", str, "header in which a proxy names the user; '': none"),
    "selinux-label": ("selinux_label", str, "z or Z; '': none"),
    "other-options": ("extra_options", str, "words for rest-server besides; '': none"),
}
_EMPTY_IS_NONE = ("max_size", "memory_limit")


def server_options() -> list[Option]:
    """None stands for what was not said: it stays as it is, or as it is by default."""
    switches: list[Option] = [
        (f"--{word}", {"action": argparse.BooleanOptionalAction, "default": None})
        for word in _SWITCHES
    ]
    values: list[Option] = [
        (f"--{word}", {"type": kind, "default": None, "help": about})
        for word, (_, kind, about) in _VALUES.items()
    ]
    bind: Option = ("--bind", {"default": None, "metavar": "ADDRESS:PORT"})
    return [bind, *switches, *values]


def fields_of(options: dict[str, Any]) -> dict[str, Any]:
    """The fields of Server that were said; EngineError for an address that is none."""
    words = {**_SWITCHES, **{word: field for word, (field, _, _) in _VALUES.items()}}
    said = {field: options.get(word.replace("-", "_")) for word, field in words.items()}
    fields = {field: value for field, value in said.items() if value is not None}
    for field in _EMPTY_IS_NONE:
        if fields.get(field) == 0:
            fields[field] = None
    if fields.get("tls_min_version") == "1.2":
        # It is rest-server's own lowest: nothing has to be said.
        fields["tls_min_version"] = ""
    if options.get("bind"):
        fields |= _address_of(options["bind"])
    return fields


def _address_of(bind: str) -> dict[str, Any]:
    address, _, port = bind.rpartition(":")
    if not address or not port.isdecimal():
        raise EngineError("Write --bind as ADDRESS:PORT, such as 127.0.0.1:8000.")
    return {"address": address.strip("[]"), "port": int(port)}
