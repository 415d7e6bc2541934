"""Hand edits of a users file: found, shown as differences, and adopted or undone by choice."""

import hashlib
import logging
from dataclasses import asdict, dataclass

from django.db import transaction
from django.utils import timezone
from django_tasks import task

from backups import engines
from backups.actions.events import Actor, record_event
from backups.actions.proofs import Proof, change_entries, replace_file
from backups.actions.users import check_row
from backups.actions.users_book import Entries
from backups.engines import htpasswd
from backups.engines.errors import EngineError
from backups.engines.htpasswd import Contents, Entry, MendedLine
from backups.models import Server, User, UsersFile
from backups.models.users import MAX_NAME
from backups.queries.differences import Difference, by_name, compare

logger = logging.getLogger(__name__)

_MOST_KEPT = 100


@dataclass(frozen=True, slots=True)
class Mending:
    """What would become of a damaged file; `digest` names the file that it was made for."""

    lines: tuple[MendedLine, ...]
    digest: str


@task(queue_name="checks")
def reconcile_users() -> None:
    """Look at every file; one that cannot be read must not hide the others' differences."""
    for server in Server.objects.lasting().live():
        try:
            adopt_users(server)
        except EngineError as error:
            logger.warning("the users of %s: %s", server, error)


def adopt_users(server: Server) -> int:
    """Take a file that is seen for the first time as right; of any other, record what differs.

    Returns how many users became known. Changes nothing in the file, but finishes what a killed
    process left half done.
    """
    contents = engines.htpasswd_of(server).read()
    book = UsersFile.objects.filter(server=server).exclude(known="").first()
    count = 0
    if not contents.is_refused and (book is None or book.steps or _unknown(server, book)):
        # Only now it is worth waiting for whoever changes the file at this moment.
        count = change_entries(
            server, lambda entries: None, lambda proof: _know_all(server), about=()
        )
        contents = engines.htpasswd_of(server).read()
    _record(server, _compare(server, contents))
    return count


def differences(server: Server) -> tuple[Difference, ...]:
    """What somebody else changed, as the file stands now."""
    return _compare(server, engines.htpasswd_of(server).read())


def adopt_difference(server: Server, name: str, *, by: Actor) -> None:
    """From now on the file is right about this user."""

    def alter(entries: Entries) -> None:
        _check_difference(server, name, entries)
        check_row(name)

    def keep(proof: Proof) -> None:
        user = server.users.filter(name=name).first()
        if not _stands_in_file(server, name):
            record_event(by, "adopted", user or "user", name=name, sentence="It was removed.")
            server.users.filter(name=name).delete()
            return
        user = user or User(server=server, name=name)
        user.disabled, user.disabled_hash, user.live_since = None, "", None
        user.save()
        record_event(by, "adopted", user, sentence="Its entry was made by hand.")

    change_entries(server, alter, keep, about={name}, settles=True)


def undo_difference(server: Server, name: str, *, by: Actor) -> None:
    """What the house knew comes back: of this user, or without a name, the whole file."""
    if not name:
        _undo_all(server, by)
        return

    def alter(entries: Entries) -> None:
        _check_difference(server, name, entries)
        hashed = UsersFile.objects.get(server=server).hashes.get(name)
        if hashed is None:
            entries.pop(name, None)
        else:
            entries[name] = Entry(name, hashed)

    def keep(proof: Proof) -> None:
        user = server.users.filter(name=name).first()
        sentence = f"What was done by hand is undone; {proof.sentence}"
        record_event(by, "undid a change of", user or "user", name=name, sentence=sentence)

    change_entries(server, alter, keep, about={name}, settles=True)


def propose_mending(server: Server) -> Mending:
    """The damaged file with what blocks it as comments; EngineError when it is not damaged."""
    text = engines.htpasswd_of(server).read_text()
    if not htpasswd.parse(text).is_refused:
        raise EngineError(f"The users file of {server} is not damaged.")
    return Mending(htpasswd.mended_lines(text, htpasswd.mend(text)), _digest(text))


def mend_users(server: Server, digest: str, *, by: Actor) -> None:
    """Write what was proposed; EngineError when the file is another one by now."""

    def make(text: str) -> str:
        if _digest(text) != digest:
            raise EngineError("The users file was changed in the meantime. Look at it again.")
        return htpasswd.mend(text)

    def keep(proof: Proof) -> None:
        record_event(by, "mended the users of", server, sentence=proof.sentence)

    replace_file(server, make, keep)
    adopt_users(server)


def _undo_all(server: Server, by: Actor) -> None:
    book = UsersFile.objects.filter(server=server).exclude(known="").first()
    if book is None:
        raise EngineError(f"The house never knew the users of {server} whole. Mend the file.")

    def make(text: str) -> str:
        known = [Entry(name, hashed) for name, hashed in book.hashes.items()]
        return htpasswd.render(known, comments=htpasswd.parse(text).comments)

    def keep(proof: Proof) -> None:
        record_event(by, "put back the users of", server, sentence=proof.sentence)

    replace_file(server, make, keep)
    adopt_users(server)


def _compare(server: Server, contents: Contents) -> tuple[Difference, ...]:
    book = UsersFile.objects.filter(server=server).first()
    return compare(contents, book, _disabled(server))


def _check_difference(server: Server, name: str, entries: Entries) -> None:
    """EngineError when it was settled in the meantime."""
    found = by_name(entries.values(), UsersFile.objects.get(server=server), _disabled(server))
    if name not in {difference.name for difference in found}:
        raise EngineError(f"There is no difference about {name} any more.")


def _disabled(server: Server) -> set[str]:
    return set(server.users.filter(disabled__isnull=False).values_list("name", flat=True))


def _stands_in_file(server: Server, name: str) -> bool:
    return name in UsersFile.objects.get(server=server).hashes


def _unknown(server: Server, book: UsersFile) -> set[str]:
    """Known from the file alone, and no longer than a row takes."""
    without_row = book.hashes.keys() - set(server.users.values_list("name", flat=True))
    return {name for name in without_row if len(name) <= MAX_NAME}


def _know_all(server: Server) -> int:
    """A row for everybody who is known from the file alone."""
    names = sorted(_unknown(server, UsersFile.objects.get(server=server)))
    for name in names:
        user = User.objects.create(server=server, name=name)
        record_event("scheduler", "adopted", user, sentence="It stood in the file already.")
    return len(names)


def _record(server: Server, found: tuple[Difference, ...]) -> None:
    """For pages that do not read the file; one line in the book when something new is found."""
    lines = [asdict(difference) for difference in found[:_MOST_KEPT]]
    now = timezone.now()
    with transaction.atomic():
        book, _ = UsersFile.objects.select_for_update().get_or_create(server=server)
        is_news = found and (book.found != lines or book.difference_count != len(found))
        book.found, book.difference_count, book.looked = lines, len(found), now
        book.found_since = (book.found_since or now) if found else None
        book.save(update_fields=["found", "difference_count", "found_since", "looked"])
        if is_news:
            record_event("scheduler", "found changes by hand at", server, sentence=_in_words(found))


def _in_words(found: tuple[Difference, ...]) -> str:
    told = [f"{one.name}: {one.sentence}" if one.name else one.sentence for one in found[:3]]
    more = f" And {len(found) - 3} more." if len(found) > 3 else ""
    return " ".join(told) + more


def _digest(text: str) -> str:
    return hashlib.sha256(htpasswd.encode(text)).hexdigest()
