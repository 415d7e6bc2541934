"""Every address of the house, with something in the place of each parameter."""

import re
from collections.abc import Iterator

from django.urls import URLPattern, URLResolver, get_resolver

_PARAMETER = re.compile(r"<(?:(?P<kind>\w+):)?(?P<name>\w+)>")
_BY_KIND = {"int": "1", "uuid": "00000000-0000-0000-0000-000000000000", "path": "x"}
_FILLED = {
    r"^confirm-email/(?P<key>[-:\w]+)/$": "confirm-email/x/",
    r"^password/reset/key/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$": "password/reset/key/1-x/",
}


def every_address() -> list[str]:
    return sorted(set(_walk(get_resolver(), "/")))


def _walk(resolver: URLResolver, prefix: str) -> Iterator[str]:
    for pattern in resolver.url_patterns:
        path = prefix + _fill(str(pattern.pattern))
        if isinstance(pattern, URLPattern):
            yield path
        else:
            yield from _walk(pattern, path)


def _fill(route: str) -> str:
    if route in _FILLED:
        return _FILLED[route]
    if route.startswith("^"):
        # Django admin's catch-all and its list of applications.
        return re.sub(
            r"\(\?P<\w+>[^)]*\)|[\^$]", lambda found: "x" if found[0][0] == "(" else "", route
        )
    return _PARAMETER.sub(lambda found: _BY_KIND.get(found["kind"] or "", "x"), route)
