"""Addresses of container engines, as people write them."""

from urllib.parse import urlsplit

_SCHEMES = ("unix", "tcp", "ssh")


def is_address(text: str) -> bool:
    """Whether it is unix:///PATH, tcp://HOST:PORT or ssh://USER@HOST, with a port that exists."""
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        return False
    if parts.scheme not in _SCHEMES or not text.startswith(f"{parts.scheme}://"):
        return False
    if parts.scheme == "unix":
        return parts.path.startswith("/")
    return bool(parts.hostname) and port != 0
