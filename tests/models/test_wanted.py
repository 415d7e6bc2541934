"""What can be wanted of a server, and what is refused with the reason."""

import pytest
from django.core.exceptions import ValidationError

from backups.models import Server

pytestmark = pytest.mark.django_db


def wanted(**fields: object) -> Server:
    defaults = {"name": "house", "image": "rest-server:1", "data_directory": "/srv/restic/house"}
    return Server(**defaults | fields)


def reason_of(**fields: object) -> str:
    with pytest.raises(ValidationError) as error:
        wanted(**fields).full_clean()
    return " ".join(error.value.messages)


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"engine": "docker.example.org"}, "Write it as unix:///PATH"),
        ({"engine": "http://docker.example.org"}, "Write it as unix:///PATH"),
        ({"engine": "ssh://root@far.example.org"}, "On far.example.org only that machine itself"),
        ({"restart_policy": "sometimes"}, "It is one of unless-stopped"),
        ({"restart_policy": "on-failure:x"}, "It is one of unless-stopped"),
        ({"tls_min_version": "1.1"}, "lowest TLS version"),
        ({"proxy_header": "X-User: x"}, "name of the header alone"),
        ({"selinux_label": "q"}, "not a valid choice"),
        ({"data_directory": "a/b"}, "absolute path"),
        ({"data_directory": "-rf"}, "absolute path"),
        ({"name": "adopted"}, "A page of this house has this name"),
    ],
)
def test_what_cannot_be_is_refused(fields: dict[str, object], reason: str) -> None:
    assert reason in reason_of(**fields)


@pytest.mark.parametrize(
    "fields",
    [
        {"engine": "ssh://root@far.example.org", "address": "0.0.0.0"},
        {"engine": "ssh://root@127.0.0.1:2222"},
        {"engine": "unix:///run/podman/podman.sock"},
        {"restart_policy": "on-failure:5"},
        {"data_directory": "restic-data"},
        {"proxy_header": "X-Forwarded-User", "selinux_label": "z"},
    ],
)
def test_what_can_be_is_taken(fields: dict[str, object]) -> None:
    wanted(**fields).full_clean()


@pytest.mark.parametrize(
    ("engine", "address", "where"),
    [
        ("", "0.0.0.0", "127.0.0.1"),
        ("", "::", "::1"),
        ("unix:///run/docker.sock", "0.0.0.0", "127.0.0.1"),
        ("tcp://far.example.org:2376", "0.0.0.0", "far.example.org"),
        ("tcp://far.example.org:2376", "192.0.2.7", "192.0.2.7"),
    ],
)
def test_it_is_probed_where_it_can_be_reached(engine: str, address: str, where: str) -> None:
    assert wanted(engine=engine, address=address).probe_address == where
