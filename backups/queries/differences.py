"""What somebody else did to a users file since the house published or adopted it."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from backups.engines.htpasswd import Contents, Entry
from backups.models.users import UsersFile

_SENTENCES = {
    "added": "It was added by hand.",
    "returned": "It is disabled here, but was put back into the file by hand.",
    "removed": "It was removed by hand.",
    "changed": "Its password was changed by hand.",
}


@dataclass(frozen=True, slots=True)
class Difference:
    """One hand edit that waits for a decision; without a name it is the whole file's."""

    code: str
    name: str
    sentence: str


def compare(
    contents: Contents, book: UsersFile | None, disabled: Collection[str]
) -> tuple[Difference, ...]:
    """By name; of a damaged or vanished file one, since nobody can say more before it is mended."""
    if contents.is_refused:
        sentence = next(problem.sentence for problem in contents.problems if problem.blocks)
        return (Difference("damaged", "", sentence),)
    if book is None or not book.is_adopted:
        return ()
    whole = contents.entries or contents.comments or contents.problems
    if not whole and len(book.hashes) > 1 and not book.steps:
        return (Difference("emptied", "", "The users file is empty or gone."),)
    return by_name(contents.entries, book, disabled)


def by_name(
    entries: Iterable[Entry], book: UsersFile, disabled: Collection[str]
) -> tuple[Difference, ...]:
    """What is being published at this moment is no hand edit."""
    known, found = book.hashes, {entry.name: entry for entry in entries}
    differing = known.keys() - found.keys()
    differing |= {name for name, entry in found.items() if known.get(name) != entry.hash}
    return tuple(
        _differing(name, found.get(name), is_known=name in known, is_disabled=name in disabled)
        for name in sorted(differing - book.steps.keys())
    )


def _differing(name: str, entry: Entry | None, *, is_known: bool, is_disabled: bool) -> Difference:
    code = "changed" if is_known else "returned" if is_disabled else "added"
    if entry is None:
        code = "removed"
    elif not entry.is_usable:
        return Difference("unusable", name, f"{_SENTENCES[code][:-1]}, and cannot sign in.")
    return Difference(code, name, _SENTENCES[code])
