"""What a unit does when it runs: what restic backs up in it, and which other programs it starts."""

import re
import shlex
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from backups.engines.systemd_unit import Assignment, in_force

_COMMANDS = frozenset(
    (
        *("ExecCondition", "ExecStartPre", "ExecStart", "ExecStartPost"),
        *("ExecStop", "ExecStopPost"),
    )
)
# They only start what follows them, and ask for nothing of their own.
_STARTERS = frozenset(("env", "nice", "ionice", "chrt", "timeout", "systemd-cat", "exec"))
_SHELLS = frozenset(("sh", "bash", "dash"))
# In a shell's words, whatever stands between two of these is a command.
_PARTS = re.compile(r"&&|\|\||[;|&\n]")
_HARMLESS = frozenset(
    (
        *("", "true", "exit", "echo", "sleep", "cat", "set", "test", "[", "cd", "export", ":"),
        *("if", "then", "else", "fi", "umask", "ulimit", "trap", "mountpoint"),
    )
)
# The value is the next word; those of restic that a path could be taken for.
TAKES_A_VALUE = frozenset(
    (
        *("-e", "--exclude", "--exclude-file", "--iexclude", "--iexclude-file", "--files-from"),
        *("-r", "--repo", "--repository-file", "-p", "--password-file", "--cacert", "--cache-dir"),
        *("--tls-client-cert", "--files-from-raw", "--files-from-verbatim", "--parent", "--tag"),
        *("--exclude-if-present", "--host", "-H", "--password-command", "--exclude-larger-than"),
        *("-o", "--option", "--time", "--compression", "--pack-size", "--retry-lock", "--key-hint"),
        *("--limit-upload", "--limit-download", "--read-concurrency", "-g", "--group-by"),
    )
)


@dataclass(frozen=True, slots=True)
class Work:
    """The command lines of restic, as words, and the names of other programs beside it.

    `free`: those behind a plus sign, on which the sandbox closes nothing but the network; even so
    each command has mounts of its own.
    """

    restic: tuple[tuple[str, ...], ...] = ()
    others: tuple[str, ...] = ()
    free: tuple[str, ...] = ()
    # Those that mount in a line of their own, and those of which nobody can tell.
    mounters: tuple[str, ...] = ()
    scripts: tuple[str, ...] = ()

    @property
    def backups(self) -> tuple[tuple[str, ...], ...]:
        return tuple(words for words in self.restic if "backup" in words)

    @property
    def paths(self) -> tuple[str, ...]:
        """What is backed up; none where the command lines do not say all of it."""
        words = [word for each in self.backups for word in each]
        named = [word for each in self.backups for word in _named(each)]
        if any(word.startswith("--files-from") for word in words) or any(map(_OPEN.search, named)):
            return ()
        paths = (word.replace("%%", "%").replace("$$", "$") for word in named)
        return tuple(dict.fromkeys(path for path in paths if path.startswith("/")))


# What only the running unit can fill in.
_OPEN = re.compile(r"(?<!%)%(?:%%)*(?!%)|(?<!\$)\$(?:\$\$)*(?!\$)")


def work_of(assignments: Iterable[Assignment], *, repository: str = "") -> Work:
    """`repository`: where the host says that it goes to, which a file may hide."""
    service = [at for at in assignments if at.section == "Service"]
    restic, others, free = list[tuple[str, ...]](), list[str](), list[str]()
    alone = list[str]()
    lines = in_force(at for at in service if at.key in _COMMANDS)
    for at in lines:
        command = at.value.lstrip("@-:+!|")
        is_free = "+" in at.value[: len(at.value) - len(command)]
        found = [*_commands(_split(command))]
        ours = [tuple(words) for words in found if _name(words) == "restic"]
        programs = [words[0] for words in found if _name(words) not in ("restic", *_HARMLESS)]
        restic += ours
        (free if is_free else others).extend(programs)
        if not ours and len(lines) > 1:
            alone += programs
    others += _helpers(f"{' '.join(at.value for at in service)} {repository}")
    return Work(
        restic=tuple(restic),
        others=_names(others),
        free=_names(free),
        mounters=_names(each for each in alone if _MOUNTS.search(each)),
        scripts=_names(each for each in alone if _SCRIPT.search(each)),
    )


_MOUNTS = re.compile(r"(?:^|/)(?:mount(?:\.\w+)?|sshfs|bindfs|s3fs)$")
# Not of the distribution: anything may stand in it.
_SCRIPT = re.compile(r"\.\w{1,4}$|^/(?!s?bin/|usr/s?bin/)")


def _name(words: list[str]) -> str:
    return words[0].rsplit("/", 1)[-1]


def _names(programs: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(program.rsplit("/", 1)[-1][:60] for program in programs))


def _helpers(text: str) -> Iterator[str]:
    """Programs that restic itself starts."""
    if "--password-command" in text or "RESTIC_PASSWORD_COMMAND" in text:
        yield "the password command"
    if transport := re.search(r"\b(sftp|rclone):", text):
        yield "ssh" if transport[1] == "sftp" else "rclone"


def is_agent(assignments: Iterable[Assignment]) -> bool:
    """Whether it is the unit of our own agent, which reports and backs nothing up."""
    starts = [at.value for at in assignments if at.key == "ExecStart" and at.value]
    return bool(starts) and all(_AGENT.search(start) for start in starts)


_AGENT = re.compile(r"/resthouse-agent\s+(?:report|flush)\b")


def _commands(words: list[str]) -> Iterator[list[str]]:
    """The programs that a line starts, one behind another."""
    words = _behind_starters(words)
    if not words:
        return
    if _name(words) in _SHELLS and len(words) > 2 and re.fullmatch(r"-[a-z]*c", words[1]):
        for part in _PARTS.split(words[2], maxsplit=200):
            if inner := _behind_starters(_split(part)):
                yield inner
    else:
        yield words


def _behind_starters(words: list[str]) -> list[str]:
    """Without what only starts the program, its options and its variables."""
    if "--" in words and any(word.endswith("resthouse-agent") for word in words[:4]):
        words = words[words.index("--") + 1 :]
    while words and _name(words) in _STARTERS:
        starts = (at for at, word in enumerate(words) if at and _PROGRAM.match(word))
        words = words[next(starts, len(words)) :]
    return words


_PROGRAM = re.compile(r"/|restic\Z")


def _split(value: str) -> list[str]:
    try:
        return shlex.split(value)
    except ValueError:
        return value.split()


def _named(words: tuple[str, ...]) -> Iterator[str]:
    """What stands behind `backup` and is neither an option nor the value of one."""
    found = words[words.index("backup") + 1 :]
    for before, word in zip(("backup", *found), found, strict=False):
        is_value = "=" not in before and before in TAKES_A_VALUE
        if not (word.startswith("-") or is_value) and word.isprintable():
            yield word
