"""Rotation without a gap, as far as one hash per name allows.

rest-server holds one hash per name: at any moment one password is let in and the other refused.
So a new password waits, as a hash, until its host has it, and takes the file in one step. That
the host has it says the operator, or a failed sign-in: while the former password is live, only
somebody with another one is refused. Anybody can fail to sign in, so such a sign is believed once:
when another one follows it, the former password comes back and the operator decides.
"""

import logging
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django_tasks import task

from backups import engines
from backups.actions.events import Actor, record_event
from backups.actions.proofs import Proof, change_entries
from backups.actions.users import NewPassword, new_password, refresh
from backups.actions.users_book import Entries
from backups.engines.errors import EngineError
from backups.engines.htpasswd import Entry
from backups.models import Rotation, User

logger = logging.getLogger(__name__)

SUCCESS_WITHIN = timedelta(hours=24)
# A request that began before the swap may end just after it.
_GRACE = timedelta(seconds=5)
_LOG_LINES = 500


def stage_rotation(user: User, *, by: Actor, password: str = "") -> NewPassword:
    """Make the new password; the former one works on until the swap."""
    password, hashed = new_password(password)
    with transaction.atomic():
        refresh(user)
        if user.is_disabled:
            raise EngineError(f"{user} is disabled. Enable it first.")
        if user.rotations.open().exists():
            raise EngineError(f"A rotation of {user} is under way. End it first.")
        Rotation.objects.create(user=user, new_hash=hashed, by_name=str(by))
        record_event(by, "staged a rotation of", user, sentence="The former password works on.")
    return NewPassword(user, password)


def swap_rotation(user: User, *, by: Actor, is_by_sign: bool = False) -> Rotation:
    """Let the new password in from now on, and watch for its first success."""
    rotation = _open_rotation(user, Rotation.State.STAGED)
    former: list[str] = []

    def alter(entries: Entries) -> None:
        refresh(user)
        _refresh_open(rotation, Rotation.State.STAGED)
        if user.name not in entries:
            raise EngineError(f"{user} is not in the file any more.")
        former.append(entries[user.name].hash)
        entries[user.name] = Entry(user.name, rotation.new_hash)

    def keep(proof: Proof) -> Rotation:
        now = timezone.now()
        rotation.state, rotation.former_hash, rotation.swapped = "swapped", former[0], now
        rotation.is_by_sign, rotation.ends_by = is_by_sign, now + SUCCESS_WITHIN
        rotation.ended, rotation.sentence = None, ""
        rotation.save()
        user.rotated, user.live_since = now, proof.since
        user.save(update_fields=["rotated", "live_since"])
        why = "A failed sign-in told that the host has it; " if is_by_sign else ""
        record_event(by, "swapped the password of", user, sentence=f"{why}{proof.sentence}")
        return rotation

    return change_entries(user.server, alter, keep, about={user.name})


def take_back_rotation(user: User, *, by: Actor, sentence: str = "") -> Rotation:
    """Drop what is staged; after the swap, the former password comes back."""
    rotation = _open_rotation(user, *Rotation.OPEN)
    sentence = sentence or f"Taken back by {by}."
    if rotation.state == Rotation.State.STAGED:
        with transaction.atomic():
            _refresh_open(rotation, Rotation.State.STAGED)
            _end(rotation, Rotation.State.TAKEN_BACK, sentence)
            record_event(by, "took back a rotation of", user, sentence=sentence)
        return rotation
    return _restore(rotation, by, sentence, Rotation.State.TAKEN_BACK)


@task(queue_name="checks")
def drive_rotations() -> None:
    """Take every open rotation as far as what can be seen allows."""
    for rotation in Rotation.objects.open().select_related("user__server"):
        try:
            _drive(rotation)
        except EngineError as error:
            logger.warning("the rotation of %s: %s", rotation.user, error)


def _drive(rotation: Rotation) -> None:
    user, swapped = rotation.user, rotation.swapped
    if rotation.state == Rotation.State.STAGED:
        if rotation.trusts_signs and _has_failed(user, since=rotation.staged):
            swap_rotation(user, by="scheduler", is_by_sign=True)
    elif swapped and user.last_seen and user.last_seen > swapped + _GRACE:
        with transaction.atomic():
            _refresh_open(rotation, Rotation.State.SWAPPED)
            _end(rotation, Rotation.State.DONE, "The host was here with the new password.")
            record_event("scheduler", "finished the rotation of", user, sentence=rotation.sentence)
    elif swapped and rotation.is_by_sign and _has_failed(user, since=swapped + _GRACE):
        sentence = "The sign was wrong: sign-ins fail with the new password live."
        _restore(rotation, "scheduler", sentence, Rotation.State.STAGED)
    elif rotation.ends_by and rotation.ends_by <= timezone.now():
        sentence = "No success was seen in time, so the former password is back."
        _restore(rotation, "scheduler", sentence, Rotation.State.TAKEN_BACK)


def _restore(rotation: Rotation, by: Actor, sentence: str, state: Rotation.State) -> Rotation:
    """The former hash, unless somebody else has put another one there since the swap."""
    user, restored = rotation.user, []

    def alter(entries: Entries) -> None:
        _refresh_open(rotation, Rotation.State.SWAPPED)
        entry = entries.get(user.name)
        if entry and entry.hash == rotation.new_hash:
            entries[user.name] = Entry(user.name, rotation.former_hash)
            restored.append(user.name)

    def keep(proof: Proof) -> Rotation:
        if state == Rotation.State.STAGED:
            rotation.state, rotation.former_hash, rotation.trusts_signs = state, "", False
            rotation.swapped = rotation.ends_by = rotation.ended = None
            rotation.is_by_sign, rotation.sentence = False, sentence
            rotation.save()
        else:
            _end(rotation, state, sentence)
        by_hand = "Somebody changed the entry by hand, so it stays as it is."
        said = f"{sentence} {f'Live again: {proof.sentence}' if restored else by_hand}"
        record_event(by, "took back a rotation of", user, sentence=said)
        return rotation

    return change_entries(user.server, alter, keep, about={user.name})


def _end(rotation: Rotation, state: Rotation.State, sentence: str) -> None:
    rotation.state, rotation.sentence, rotation.ended = state, sentence, timezone.now()
    rotation.new_hash = rotation.former_hash = ""
    rotation.save()


def _open_rotation(user: User, *states: Rotation.State) -> Rotation:
    rotation = user.rotations.filter(state__in=states).first()
    if rotation is None:
        raise EngineError(f"No rotation of {user} waits for this.")
    return rotation


def _refresh_open(rotation: Rotation, state: Rotation.State) -> None:
    """What others did to it since it was read counts."""
    rotation.refresh_from_db(from_queryset=Rotation.objects.select_related("user__server"))
    if rotation.state != state:
        raise EngineError(f"The rotation of {rotation.user} went on in the meantime.")


def _has_failed(user: User, *, since: datetime) -> bool:
    """Whether rest-server logged a wrong password for this user; it never says from where."""
    server = user.server
    log = engines.containers_of(server).logs(server.name, tail=_LOG_LINES, has_times=True)
    for line in log:
        time, _, said = line.partition(" ")
        if said.endswith(f"Invalid htpasswd entry for {user.name}."):
            at = parse_datetime(f"{time[:26].rstrip('Z')}Z")
            if at and at > since:
                return True
    return False
