"""Keys at rest: readable with the keys of the house, and with nothing else."""

import os
from pathlib import Path

import pytest

from backups.engines import key_file
from backups.engines.encryption import Vault, new_key
from backups.engines.errors import EngineError


def test_what_an_older_key_closed_is_still_opened_and_closed_anew() -> None:
    old, new = new_key(), new_key()
    closed = Vault([old]).close("a secret")

    both = Vault([new, old])

    assert both.open(closed) == "a secret"
    assert Vault([new]).open(both.close_anew(closed)) == "a secret"
    assert b"a secret" not in closed


def test_without_its_key_nothing_is_opened_and_the_sentence_says_what_to_do() -> None:
    closed = Vault([new_key()]).close("a secret")

    with pytest.raises(EngineError, match="Put the former one behind the present one"):
        Vault([new_key()]).open(closed)
    with pytest.raises(EngineError, match="encryption key of the house is none"):
        Vault(["not a key"]).close("a secret")


def test_no_key_is_in_a_repr() -> None:
    key = new_key()

    assert key not in repr(Vault([key]))


def test_a_key_file_is_made_once_for_its_owner_alone_and_replaced_whole(tmp_path: Path) -> None:
    file = tmp_path / "folder" / "key"

    first = key_file.read_or_make(file, lambda: "one")
    again = key_file.read_or_make(file, lambda: "two")
    key_file.replace(file, "three")

    assert (first, again, file.read_text()) == ("one", "one", "three")
    assert os.stat(file).st_mode & 0o777 == 0o600
    assert [path.name for path in file.parent.iterdir()] == ["key"]
