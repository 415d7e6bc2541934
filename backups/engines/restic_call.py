"""How a unit calls restic, so that root can call it once in the same way on that host."""

import re
import shlex
from collections.abc import Iterator

from backups.engines.systemd_unit import parse_unit

# Only what says where the repository is and how to open it. What would run a program of the
# host's choice is left out: the command is copied by a person and run as root.
_OPTIONS = {"-r": "--repo", "-p": "--password-file"} | {
    name: name
    for name in ("--repo", "--repository-file", "--password-file", "--cacert", "--tls-client-cert")
}
_VARIABLES = {
    "RESTIC_REPOSITORY": "--repo",
    "RESTIC_REPOSITORY_FILE": "--repository-file",
    "RESTIC_PASSWORD_FILE": "--password-file",
    "RESTIC_CACERT": "--cacert",
}
# Files that nobody but root writes.
_SAFE_FILE = re.compile(r"-?/(?:etc|root)/(?!.*\.\.)[\w./@-]+")
_CREDENTIAL = re.compile(r"[\w.-]+:/(?:etc|root)/(?!.*\.\.)[\w./@-]+")
_FILES = ("EnvironmentFile",)
_CREDENTIALS = ("LoadCredential", "LoadCredentialEncrypted")
_FOLDER = "${CREDENTIALS_DIRECTORY}"
_VALUE = re.compile(r"(?:\$\{CREDENTIALS_DIRECTORY\}/|%d/)?[\w./:@,+-]+")
_RESTIC = re.compile(r"[@:+!-]*(?:/\S+/)?restic")


def call_of(text: str, verb: str) -> str:
    """The command for a verb of restic; empty where the unit does not tell how it is called."""
    try:
        options, given = _options(text), list(_given(text))
    except ValueError:
        return ""
    names = {_name_of(value) for value in options.values()} - {""}
    is_whole = names <= {value.partition(":")[0] for key, value in given if key in _CREDENTIALS}
    has_password = "--password-file" in options or any(key in _FILES for key, _ in given)
    if not (is_whole and has_password):
        return ""
    words = [f"{option}={_in_unit(value)}" for option, value in options.items()]
    properties = [word for key, value in given for word in ("-p", f"{key}={value}")]
    run = ["systemd-run", "--pipe", "--wait", "--quiet", "--collect", *properties]
    return shlex.join([*run, "--", "restic", "--no-cache", *words, *verb.split()])


def _in_unit(value: str) -> str:
    return value.replace("%d/", f"{_FOLDER}/")


def _name_of(value: str) -> str:
    """The credential that a value names, if it names one."""
    folder, _, name = _in_unit(value).rpartition("/")
    return name if folder == _FOLDER else ""


def _given(text: str) -> Iterator[tuple[str, str]]:
    """Files of variables, and credentials, in the unit's order."""
    kept: dict[str, list[str]] = {}
    for line in parse_unit(text):
        if line.section == "Service" and line.key in (*_FILES, *_CREDENTIALS):
            # An empty value takes back what was said before.
            kept[line.key] = [*kept.get(line.key, []), line.value] if line.value else []
    for key, values in kept.items():
        for value in values:
            if not (_SAFE_FILE if key in _FILES else _CREDENTIAL).fullmatch(value):
                raise ValueError(value)
            yield key, value


def _options(text: str) -> dict[str, str]:
    """By variables and, above them, by the command line."""
    variables: dict[str, str] = {}
    command: list[str] = []
    for line in parse_unit(text):
        if line.section != "Service" or line.key not in ("Environment", "ExecStart"):
            continue
        words = shlex.split(line.value)
        if line.key == "ExecStart":
            command = words
        else:
            variables = variables | dict(w.partition("=")[::2] for w in words) if words else {}
    if not command or not _RESTIC.fullmatch(command[0]):
        raise ValueError("restic is behind a script")
    found = {option: variables[name] for name, option in _VARIABLES.items() if name in variables}
    found |= dict(_asked(command[1:]))
    if not all(_VALUE.fullmatch(value) for value in found.values()):
        raise ValueError("a value that is masked or no plain word")
    return found


def _asked(words: list[str]) -> Iterator[tuple[str, str]]:
    rest = iter(words)
    for word in rest:
        name, equals, value = word.partition("=")
        if name in _OPTIONS:
            yield _OPTIONS[name], value if equals else next(rest, "")
