"""Rotation without a gap: the new password waits for its host, and a wrong step is taken back."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
import time_machine
from django.utils import timezone

from backups.actions import users
from backups.actions.users_reconcile import differences
from backups.actions.users_rotation import (
    drive_rotations,
    stage_rotation,
    swap_rotation,
    take_back_rotation,
)
from backups.engines.errors import EngineError
from backups.engines.htpasswd import parse
from backups.engines.restserver import is_let_in
from backups.models import Event, Rotation, Server, User

Serve = Callable[..., Server]
LATER = timedelta(seconds=30)


pytestmark = pytest.mark.usefixtures("cheap_hashes")


@pytest.fixture
def user(unmade: Server) -> User:
    return users.add_user(unmade, "web-1", by="terminal").user


def hash_of(user: User) -> str:
    [entry] = parse((Path(user.server.data_directory) / ".htpasswd").read_text()).entries
    return entry.hash


def seen(user: User, after: timedelta = LATER) -> None:
    User.objects.filter(pk=user.pk).update(last_seen=timezone.now() + after)


def test_a_failed_sign_in_tells_that_the_host_has_it_and_swaps_at_once(serve: Serve) -> None:
    server = serve()
    old = users.add_user(server, "web-1", by="terminal")
    other = users.add_user(server, "web-2", by="terminal")
    user = old.user
    new = stage_rotation(user, by="ines")
    stage_rotation(other.user, by="ines")

    def lets_in(password: str) -> bool:
        return is_let_in(server.probe_url, "web-1", password)

    drive_rotations.call()
    assert (lets_in(old.password), user.rotation.state) == (True, "staged")
    assert not lets_in(new.password)
    drive_rotations.call()

    assert (lets_in(old.password), lets_in(new.password)) == (False, True)
    assert (user.rotation.state, user.rotation.is_by_sign) == ("swapped", True)
    assert other.user.rotation.state == "staged"
    seen(user)
    with time_machine.travel(timezone.now() + LATER):
        drive_rotations.call()
    assert user.rotation.state == "done"


def test_a_sign_that_was_wrong_is_taken_back_and_no_longer_believed(serve: Serve) -> None:
    server = serve()
    old = users.add_user(server, "web-1", by="terminal")
    stage_rotation(old.user, by="ines")
    is_let_in(server.probe_url, "web-1", "of-an-attacker")
    drive_rotations.call()
    assert old.user.rotation.state == "swapped"

    Rotation.objects.update(swapped=timezone.now() - LATER)
    is_let_in(server.probe_url, "web-1", old.password)
    drive_rotations.call()
    is_let_in(server.probe_url, "web-1", "of-an-attacker")
    drive_rotations.call()

    assert is_let_in(server.probe_url, "web-1", old.password)
    rotation = old.user.rotation
    assert (rotation.state, rotation.trusts_signs) == ("staged", False)
    assert "sign was wrong" in rotation.sentence


def test_the_operator_swaps_and_the_first_success_ends_it(user: User) -> None:
    former = hash_of(user)
    stage_rotation(user, by="ines")
    assert hash_of(user) == former

    swap_rotation(user, by="ines")

    assert hash_of(user) != former
    seen(user, -LATER)
    drive_rotations.call()
    assert user.rotation.state == "swapped"
    seen(user)
    drive_rotations.call()
    rotation = user.rotation
    assert (rotation.state, rotation.new_hash, rotation.former_hash) == ("done", "", "")
    verbs = ["staged a rotation of", "swapped the password of", "finished the rotation of"]
    assert [event.verb for event in Event.objects.order_by("id")][1:] == verbs


def test_without_a_success_in_time_the_former_password_comes_back(user: User) -> None:
    former = hash_of(user)
    stage_rotation(user, by="ines")
    swap_rotation(user, by="ines")

    with time_machine.travel(timezone.now() + timedelta(hours=25)):
        drive_rotations.call()

    assert (hash_of(user), user.rotation.state) == (former, "taken-back")
    assert "No success was seen in time" in user.rotation.sentence
    stage_rotation(user, by="ines")


@pytest.mark.parametrize("is_swapped", [False, True])
def test_a_rotation_is_taken_back_by_choice(user: User, is_swapped: bool) -> None:
    former = hash_of(user)
    stage_rotation(user, by="ines")
    if is_swapped:
        swap_rotation(user, by="ines")

    take_back_rotation(user, by="ines")

    assert (hash_of(user), user.rotation.state) == (former, "taken-back")
    for step in (swap_rotation, take_back_rotation):
        with pytest.raises(EngineError, match="No rotation"):
            step(user, by="ines")


def test_another_change_of_the_user_ends_its_rotation(user: User) -> None:
    stage_rotation(user, by="ines")
    swap_rotation(user, by="ines")
    swapped = hash_of(user)

    users.disable_user(user, by="ines")

    assert (user.disabled_hash, user.rotation.state) == (swapped, "taken-back")
    with pytest.raises(EngineError, match="disabled"):
        stage_rotation(user, by="ines")


def test_one_rotation_at_a_time(user: User) -> None:
    stage_rotation(user, by="ines")

    with pytest.raises(EngineError, match="under way"):
        stage_rotation(user, by="ines")


def test_a_hash_by_hand_outlives_the_time_of_a_rotation(user: User) -> None:
    stage_rotation(user, by="ines")
    swap_rotation(user, by="ines")
    by_hand = "$2y$10$" + "a" * 53
    file = Path(user.server.data_directory) / ".htpasswd"
    file.write_text(f"web-1:{by_hand}\n")

    with time_machine.travel(timezone.now() + timedelta(hours=25)):
        drive_rotations.call()

    assert (hash_of(user), user.rotation.state) == (by_hand, "taken-back")
    assert [one.code for one in differences(user.server)] == ["changed"]
