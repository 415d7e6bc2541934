"""Addresses in certificates: which ones Go's net/url and its certificate parser take."""

import re

from backups.engines.certificate_names import UnreadableError, is_domain

_TROUBLE = "an address (URI) in it cannot be read"
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*")
_BAD_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
_USER = re.compile(r"[A-Za-z0-9._:~!$&'()*+,;=%@-]*")
_HOST_FORBIDDEN = re.compile(r"[\x00-\x20\x7f#/?@\\^`{|}%]")


def host_of(text: str) -> str:
    """The host of an address, or ""; UnreadableError where Go does not read it."""
    if any(letter < " " or letter == "\x7f" for letter in text):
        raise UnreadableError(_TROUBLE)
    bare, _, fragment = text.partition("#")
    if _BAD_ESCAPE.search(fragment):
        raise UnreadableError(_TROUBLE)
    scheme, colon, rest = bare.partition(":")
    if not (colon and _SCHEME.fullmatch(scheme)):
        if colon and (not scheme or _is_colon_early(bare)):
            raise UnreadableError(_TROUBLE)
        rest = bare
    path = rest.partition("?")[0]
    authority = ""
    if path.startswith("//"):
        authority, slash, path = path[2:].partition("/")
        path = slash + path
    if _BAD_ESCAPE.search(path) and (path.startswith("/") or not colon):
        raise UnreadableError(_TROUBLE)
    return _checked(authority)


def _is_colon_early(text: str) -> bool:
    """Whether the first piece of what is no address with a scheme holds a colon."""
    return ":" in text.partition("?")[0].partition("/")[0]


def _checked(authority: str) -> str:
    user, at, host = authority.rpartition("@")
    if at and (not _USER.fullmatch(user) or _BAD_ESCAPE.search(user)):
        raise UnreadableError(_TROUBLE)
    if host.startswith("["):
        name, bracket, port = host.partition("]")
        name += bracket
        is_zoned = "%25" in name or "%" not in name
        if not bracket or not is_zoned or not re.fullmatch(r"(?::[0-9]*)?", port):
            raise UnreadableError(_TROUBLE)
    else:
        name, colon, port = host.rpartition(":")
        name, port = (name, port) if colon else (port, "")
        if _HOST_FORBIDDEN.search(name.replace("%25", "")) or port.strip("0123456789"):
            raise UnreadableError(_TROUBLE)
    if host and not is_domain(host):
        raise UnreadableError(_TROUBLE)
    return name
