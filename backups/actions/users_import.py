"""Users from another file, and the file for somewhere else."""

from collections.abc import Collection
from dataclasses import dataclass

from django.utils import timezone

from backups import engines
from backups.actions.events import Actor, record_event
from backups.actions.proofs import Proof, change_entries
from backups.actions.users import check_row
from backups.actions.users_book import Entries
from backups.engines import htpasswd
from backups.engines.errors import EngineError
from backups.engines.htpasswd import Entry
from backups.models import Server, User


@dataclass(frozen=True, slots=True)
class ImportLine:
    """What would become of one line: "added", "changed", "same" or "refused"."""

    number: int
    name: str
    code: str
    sentence: str = ""


@dataclass(frozen=True, slots=True)
class ImportPlan:
    """What a text would do to the users of a server."""

    lines: tuple[ImportLine, ...]

    @property
    def added(self) -> tuple[ImportLine, ...]:
        return self._of("added")

    @property
    def changed(self) -> tuple[ImportLine, ...]:
        return self._of("changed")

    @property
    def same(self) -> tuple[ImportLine, ...]:
        return self._of("same")

    @property
    def refused(self) -> tuple[ImportLine, ...]:
        return self._of("refused")

    @property
    def is_empty(self) -> bool:
        return not (self.added or self.changed)

    def _of(self, code: str) -> tuple[ImportLine, ...]:
        return tuple(line for line in self.lines if line.code == code)


def preview_import(server: Server, text: str) -> ImportPlan:
    """Line by line; of a name that is known with another hash, somebody is to choose."""
    present = {entry.name: entry for entry in engines.htpasswd_of(server).read().entries}
    return _plan(server, text, present)


def import_users(
    server: Server, text: str, *, by: Actor, replace: Collection[str] = ()
) -> ImportPlan:
    """Add who is new, in one change; of the others, only those in `replace` get the new hash."""
    plans: list[ImportPlan] = []
    wanted = {entry.name: entry for entry in _entries(text)}

    def alter(entries: Entries) -> None:
        plan = _plan(server, text, entries)
        for line in (*plan.added, *_chosen(plan, replace)):
            entries[line.name] = wanted[line.name]
        plans.append(plan)

    def keep(proof: Proof) -> ImportPlan:
        plan, now = plans[0], timezone.now()
        added, changed = [line.name for line in plan.added], _chosen(plan, replace)
        if not added and not changed:
            return plan
        known = set(server.users.values_list("name", flat=True))
        User.objects.bulk_create(
            User(server=server, name=name, rotated=now, live_since=proof.since)
            for name in added
            if name not in known
        )
        replaced = server.users.filter(name__in=[line.name for line in changed])
        replaced.update(rotated=now, live_since=proof.since)
        said = f"{len(added)} added, {len(changed)} replaced; {proof.sentence}"
        record_event(by, "imported users into", server, sentence=said)
        return plan

    return change_entries(server, alter, keep, about=wanted.keys())


def export_users(server: Server, *, by: Actor) -> str:
    """The users file as text: its hashes are secrets, so the book says who has it."""
    contents = engines.htpasswd_of(server).read()
    if contents.is_refused:
        raise EngineError(f"The users file of {server} is damaged. Mend it first.")
    text = htpasswd.render(contents.entries, comments=contents.comments)
    record_event(by, "exported the users of", server, sentence=f"{len(contents.entries)} users")
    return htpasswd.encode(text).decode(errors="replace")


def _plan(server: Server, text: str, present: Entries) -> ImportPlan:
    disabled = set(server.users.filter(disabled__isnull=False).values_list("name", flat=True))
    wanted = {entry.name: entry for entry in _entries(text)}
    lines = []
    for line in htpasswd.check_file(text):
        code, sentence = "refused", line.sentence
        if line.is_usable and line.name in wanted:
            code, sentence = _fate(server, wanted[line.name], present, disabled)
        lines.append(ImportLine(line.number, line.name, code, sentence))
    return ImportPlan(tuple(lines))


def _fate(
    server: Server, entry: Entry, present: Entries, disabled: Collection[str]
) -> tuple[str, str]:
    try:
        htpasswd.check_name(entry.name, is_private=server.has_private_repositories)
        check_row(entry.name)
    except EngineError as error:
        return "refused", str(error)
    if entry.name in disabled:
        return "refused", "It is disabled here. Enable or delete it first."
    if entry.name not in present:
        return "added", ""
    if present[entry.name].hash == entry.hash:
        return "same", ""
    return "changed", "It has another password here."


def _entries(text: str) -> tuple[Entry, ...]:
    return htpasswd.parse(text).entries


def _chosen(plan: ImportPlan, replace: Collection[str]) -> tuple[ImportLine, ...]:
    return tuple(line for line in plan.changed if line.name in replace)
