"""`manage.py hosts`."""

import os
import stat
from collections.abc import Callable
from typing import Any

from tests.rig.house import House

Answer = Callable[..., Any]


def test_a_host_is_added_in_a_house_that_is_not_there_yet(answer: Answer, house: House) -> None:
    assert not house.data.exists()

    new = answer("hosts", "add", "web-1", "--note", "in the cellar")

    assert set(new) == {"name", "token", "command"}
    assert new["command"] == (
        f"curl -fsS {house.url}/agent -o /usr/local/sbin/resthouse-agent && "
        f"python3 /usr/local/sbin/resthouse-agent enrol --url {house.url} --token {new['token']}"
    )
    assert answer("hosts", "list") == [{"name": "web-1", "is_enrolled": False, "reported": None}]
    assert stat.S_IMODE(house.data.stat().st_mode) == 0o700


def test_tokens_are_renewed_keys_revoked_and_hosts_deleted(
    answer: Answer, refusal: Callable[..., str]
) -> None:
    first = answer("hosts", "add", "web-1")["token"]

    assert answer("hosts", "token", "web-1")["token"] != first
    assert answer("hosts", "revoke", "web-1") == {"name": "web-1", "is_enrolled": False}
    assert refusal("hosts", "add", "web-1") == "name: Host with this Name already exists."
    assert refusal("hosts", "revoke", "web-2") == "There is no host called web-2."
    assert answer("hosts", "delete", "web-1") == {"name": "web-1", "deleted": True}


def test_a_secret_key_from_outside_makes_no_difference(answer: Answer, house: House) -> None:
    house.environment = {"SECRET_KEY": "given-from-outside-" + "x" * 40}

    answer("hosts", "add", "web-1")

    assert sorted(os.listdir(house.data)) == ["locks", "resthouse.sqlite3"]
