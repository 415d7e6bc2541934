"""A drop-in that hardens a unit as it stands, and the words that install it and take it back."""

import ipaddress
import re
import shlex
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from backups.engines.errors import EngineError
from backups.engines.systemd_before import Before
from backups.engines.systemd_checks import POISONED
from backups.engines.systemd_choices import ADDRESSES, CHOICES, LISTS
from backups.engines.systemd_lint import lint
from backups.engines.systemd_unit import parse_unit, quoted

NAME = "50-hardening.conf"
FOLDER = "/etc/systemd/system"

_FILE_OF_CAT = re.compile(r"^# (/\S+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Commands:
    """What a person pastes on the host."""

    install: str
    verify: str
    undo: str


def split_cat(text: str) -> tuple[str, str]:
    """What `systemctl cat` shows: the unit without our drop-in, and our drop-in alone.

    The unit keeps its line numbers: what is taken out stays behind as empty lines.
    """
    marks = [*_FILE_OF_CAT.finditer(text)]
    own = [mark for mark in marks if mark[1].endswith(f".service.d/{NAME}")]
    if own:
        # The first line of our drop-in names the file once more.
        start = own[0].start()
        after = next((m.start() for m in marks if m.start() > start and m not in own), len(text))
        said = text[start:after]
        return text[:start] + "\n" * said.count("\n") + text[after:], said
    return text, ""


def part_at_ours(text: str) -> tuple[str, str]:
    """What systemd reads before our drop-in, and what after it, by the names of the files."""
    for mark in _FILE_OF_CAT.finditer(text):
        folder, _, name = mark[1].rpartition("/")
        if folder.endswith(".d") and name > NAME:
            return text[: mark.start()], text[mark.start() :]
    return text, ""


def place_of(text: str, line: int) -> tuple[str, int]:
    """The file that a line of `systemctl cat` stands in, and its number there."""
    path, first = "", 0
    for number, said in enumerate(text.split("\n")[: max(line - 1, 0)], start=1):
        # Our own drop-in names its file once more, in a line of its own.
        if (mark := _FILE_OF_CAT.fullmatch(said)) and mark[1] != path:
            path, first = mark[1], number
    return path, line - first


def poisoned(text: str) -> tuple[str, ...]:
    """The allow-lists that a wrong word has emptied: a drop-in must begin them anew."""
    found = {finding.directive for finding in lint(text) if finding.code == POISONED}
    return tuple(sorted(found & CHOICES.keys()))


def chosen_in(own: str) -> frozenset[str]:
    """Which choices a drop-in that was made here holds."""
    said = {f"{at.key}={at.value}" for at in parse_unit(own)}
    return frozenset(key for key, choice in CHOICES.items() if choice.lines[0] in said)


def render(
    keys: Iterable[str],
    *,
    unit: str,
    text: str = "",
    addresses: Iterable[str] = (),
    writable: Iterable[str] = (),
) -> str:
    """The drop-in for a unit of this text; empty when nothing is chosen."""
    lines = [*_body(frozenset(keys), text, literal(addresses), list(writable))]
    if not lines:
        return ""
    return "\n".join((f"# {FOLDER}/{unit}.d/{NAME}", "[Service]", *lines, ""))


def literal(addresses: Iterable[str]) -> tuple[str, ...]:
    """Addresses as numbers: systemd ignores names, and would then deny everything."""
    found = []
    for address in addresses:
        try:
            found.append(str(ipaddress.ip_network(address, strict=False)).removesuffix("/32"))
        except ValueError:
            raise EngineError(
                f"{address[:100]} is no address: IPAddressAllow= takes numbers, not names."
            ) from None
    return tuple(each.removesuffix("/128") for each in dict.fromkeys(found))


def _body(
    keys: Collection[str], text: str, addresses: tuple[str, ...], writable: list[str]
) -> Iterator[str]:
    before = Before.of(text)
    begun = set[str]()
    for key, choice in CHOICES.items():
        if key not in keys or (key == "IPAddressDeny" and not addresses):
            continue
        for line in before.fitting(key, choice.lines):
            name = line.partition("=")[0]
            if name in LISTS & before.written and name not in begun and not line.endswith("="):
                yield f"{name}="
            begun.add(name)
            yield line.replace(ADDRESSES, " ".join(_beyond(addresses))).rstrip()
    if not {"ProtectSystem", "ProtectHome"}.isdisjoint(keys):
        folders = dict.fromkeys([*writable, *before.repositories])
        yield from (f"ReadWritePaths={quoted(folder)}" for folder in folders)
    if "ProtectSystem" in keys and "PrivateTmp" not in keys and not before.has_temporary:
        # Without a folder of its own for them, restic could not write its packs.
        yield "ReadWritePaths=/tmp /var/tmp"


def _beyond(addresses: Iterable[str]) -> Iterator[str]:
    """Without what localhost means already: said twice, it scores differently when it runs."""
    return (each for each in addresses if not ipaddress.ip_network(each).is_loopback)


def commands(dropin: str, unit: str) -> Commands:
    quoted_name = shlex.quote(unit)
    folder = f"{FOLDER}/{quoted_name}.d"
    # A name that a host has told is neither trusted in a shell nor taken for an option.
    name = f"-- {quoted_name}" if unit.startswith("-") else quoted_name
    user = ""
    if "\nUser=restic\n" in dropin:
        user = "echo 'u restic - \"restic backup\"' | systemd-sysusers -\n"
    return Commands(
        install=f"{user}install -d {folder}\n"
        f"install -m 644 /dev/stdin {folder}/{NAME} <<'END'\n{dropin}END\n"
        "systemctl daemon-reload",
        verify=f"systemd-analyze security --no-pager {name}\n"
        f"systemctl start {name}\n"
        f"journalctl --unit={quoted_name} --lines 20",
        undo=f"rm {folder}/{NAME}\nsystemctl daemon-reload",
    )
