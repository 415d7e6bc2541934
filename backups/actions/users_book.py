"""What the house knows of a users file, kept in step with what it publishes there."""

from collections.abc import Collection

from django.utils import timezone

from backups.actions.events import record_event
from backups.engines.htpasswd import Entry
from backups.models import Rotation, Server, UsersFile

Entries = dict[str, Entry]


def open_book(server: Server, entries: Entries) -> UsersFile:
    """The row of this server; the first one takes what stands in the file for right."""
    book = UsersFile.objects.filter(server=server).first() or UsersFile(server=server)
    if not book.is_adopted:
        disabled = set(server.users.filter(disabled__isnull=False).values_list("name", flat=True))
        # Who is disabled here and yet in the file: somebody is to decide on that.
        book.hashes = {name: entries[name].hash for name in entries.keys() - disabled}
        book.save()
    return book


def take_back_cut_off(book: UsersFile, entries: Entries) -> tuple[str, ...]:
    """Undo, in these entries, what a killed process published and never kept; returns the names.

    Whoever asked for it was told nothing, and nobody has the password it may have made.
    """
    names = []
    for name, (before, *published) in book.steps.items():
        hashed = _hash(entries, name)
        if hashed in published and hashed != before:
            _put(entries, name, before)
            names.append(name)
    return tuple(names)


def write_ahead(
    book: UsersFile,
    before: Entries,
    after: Entries,
    about: Collection[str],
    cut_off: Collection[str],
) -> None:
    """Say what is going to be published, so that it is not taken for a hand edit."""
    steps = {name: step for name, step in book.steps.items() if name in cut_off}
    for name in about:
        step = steps.get(name, [_hash(before, name)])
        if _hash(after, name) != step[0]:
            steps[name] = [*step, _hash(after, name)]
    book.steps = steps
    book.save(update_fields=["pending"])


def keep_book(book: UsersFile, entries: Entries, about: Collection[str]) -> None:
    """From now on, what stands in the file under these names is known."""
    known = book.hashes
    changed = {name for name in about if known.get(name) != _hash(entries, name)}
    for name in about:
        known.pop(name, None)
        if name in entries:
            known[name] = entries[name].hash
    book.hashes, book.steps = known, {}
    _strike_out(book, about)
    book.save()
    _end_rotations(book.server, changed)


def record_cut_off(server: Server, names: Collection[str]) -> None:
    for name in names:
        user = server.users.filter(name=name).first()
        sentence = "A change was cut off before it was proven."
        record_event("house", "took back a change of", user or "user", name=name, sentence=sentence)


def _strike_out(book: UsersFile, about: Collection[str]) -> None:
    """What was found of these names is settled."""
    left = [line for line in book.found if line["name"] not in about]
    book.difference_count -= min(len(book.found) - len(left), book.difference_count)
    book.found = left
    if not book.difference_count:
        book.found_since = None


def _end_rotations(server: Server, names: Collection[str]) -> None:
    """A rotation that is still open is overtaken by any other change of its entry."""
    if names:
        Rotation.objects.open().filter(user__server=server, user__name__in=names).update(
            state=Rotation.State.TAKEN_BACK,
            new_hash="",
            former_hash="",
            ended=timezone.now(),
            sentence="Another change of this user came in between.",
        )


def _put(entries: Entries, name: str, hashed: str | None) -> None:
    if hashed is None:
        entries.pop(name, None)
    else:
        entries[name] = Entry(name, hashed)


def _hash(entries: Entries, name: str) -> str | None:
    entry = entries.get(name)
    return entry.hash if entry else None
