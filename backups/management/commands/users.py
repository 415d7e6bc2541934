"""`manage.py users`: the entries of `.htpasswd`."""

import sys
from datetime import datetime
from pathlib import Path

from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime

from backups import engines
from backups.actions import users, users_import, users_reconcile
from backups.engines import htpasswd, restserver
from backups.engines.errors import EngineError
from backups.management.noun import SERVER, NounCommand, Option, Verb, server_named
from backups.models import User

_NAME: Option = ("name", {})
_FILE: Option = ("file", {"help": "an .htpasswd file; - reads standard input"})
_PASSWORD_FILE: Option = (
    "--password-file",
    {"default": "", "help": "read the password from this file instead of generating one"},
)
_REPLACE: Option = (
    "--replace",
    {"action": "store_true", "help": "names that are here with another hash get the file's"},
)


class Command(NounCommand):
    """Users: who may back up to a server."""

    help = __doc__

    def verbs(self) -> dict[str, tuple[Verb, list[Option]]]:
        when = {"help": "2026-12-31, 2026-12-31T18:00+01:00 or never"}
        return {
            "list": (self.list, [SERVER]),
            "add": (self.add, [_NAME, SERVER, ("--note", {"default": ""}), _PASSWORD_FILE]),
            "rotate": (self.rotate, [_NAME, SERVER, _PASSWORD_FILE]),
            "note": (self.note, [_NAME, ("text", {}), SERVER]),
            "disable": (self.disable, [_NAME, SERVER]),
            "enable": (self.enable, [_NAME, SERVER]),
            "expire": (self.expire, [_NAME, ("when", when), SERVER]),
            "delete": (self.delete, [_NAME, SERVER]),
            "import": (self.import_file, [_FILE, SERVER, _REPLACE]),
            "export": (self.export, [SERVER]),
            "check": (self.check_file, [_FILE]),
        }

    def list(self, server: str | None) -> None:
        """Who is in the file, and who is disabled."""
        of = server_named(server)
        users_reconcile.adopt_users(of)
        entries = {entry.name: entry for entry in engines.htpasswd_of(of).read().entries}
        rows = [
            {
                "name": user.name,
                "note": user.note,
                "is_disabled": user.is_disabled,
                "is_in_file": user.name in entries,
                "hash": entries[user.name].kind if user.name in entries else "",
                "cost": entries[user.name].cost if user.name in entries else None,
                "expires": user.expires,
                "last_seen": user.last_seen,
            }
            for user in of.users.all()
        ]
        lines = [
            f"{row['name']:24} {'disabled' if row['is_disabled'] else row['hash']}" for row in rows
        ]
        lines += [f"{one.name or of}: {one.sentence}" for one in users_reconcile.differences(of)]
        self.answer(rows, "\n".join(lines) or f"Nobody can back up to {of} yet.")

    def add(self, name: str, server: str | None, note: str, password_file: str) -> None:
        """Add a user; the password is printed once."""
        of = server_named(server)
        new = users.add_user(
            of, name, note=note, password=_read_password(password_file), by="terminal"
        )
        self._show_once(new)

    def rotate(self, name: str, server: str | None, password_file: str) -> None:
        """Replace the password; the new one is printed once."""
        user = _user(name, server)
        self._show_once(
            users.rotate_user(user, password=_read_password(password_file), by="terminal")
        )

    def note(self, name: str, text: str, server: str | None) -> None:
        """Write a note for the people here."""
        users.note_user(_user(name, server), text, by="terminal")
        self.answer({"name": name, "note": text}, f"{name}: noted")

    def disable(self, name: str, server: str | None) -> None:
        """Refuse a user and keep its hash."""
        users.disable_user(_user(name, server), by="terminal")
        self.answer({"name": name, "is_disabled": True}, f"{name} is refused from now on")

    def enable(self, name: str, server: str | None) -> None:
        """Let a disabled user in again with the password it had."""
        users.enable_user(_user(name, server), by="terminal")
        self.answer({"name": name, "is_disabled": False}, f"{name} is let in again")

    def expire(self, name: str, when: str, server: str | None) -> None:
        """Disable a user at that time by itself."""
        user = _user(name, server)
        users.set_expiry(user, _moment(when), by="terminal")
        until = f"{timezone.localtime(user.expires):until %Y-%m-%d %H:%M %Z}"
        said = f"{name} is let in {until if user.expires else 'without an end'}"
        self.answer({"name": name, "expires": user.expires}, said)

    def delete(self, name: str, server: str | None) -> None:
        """Remove a user; its repositories stay."""
        users.delete_user(_user(name, server), by="terminal")
        self.answer({"name": name, "deleted": True}, f"{name} is deleted")

    def import_file(self, file: str, server: str | None, *, replace: bool) -> None:
        """Add the users of another file, with the passwords they have."""
        of, text = server_named(server), _read_text(file)
        changed = users_import.preview_import(of, text).changed if replace else ()
        names = {line.name for line in changed}
        plan = users_import.import_users(of, text, by="terminal", replace=names)
        kept = [line for line in plan.changed if line.name not in names]
        lines = [f"{len(plan.added)} added, {len(names)} replaced, {len(plan.same)} the same"]
        lines += [f"{line.name}: {line.sentence} Kept; --replace takes it." for line in kept]
        lines += [f"line {line.number}: {line.sentence}" for line in plan.refused]
        data = {
            "added": [line.name for line in plan.added],
            "replaced": sorted(names),
            "kept": [line.name for line in kept],
            "same": [line.name for line in plan.same],
            "refused": [
                {"line": line.number, "name": line.name, "why": line.sentence}
                for line in plan.refused
            ],
        }
        self.answer(data, "\n".join(lines))

    def export(self, server: str | None) -> None:
        """Print the users file; its hashes are secrets."""
        text = users_import.export_users(server_named(server), by="terminal")
        self.answer({"file": text}, text.removesuffix("\n"))

    def check_file(self, file: str) -> None:
        """Judge a file line by line; 0: all usable, 1: refused whole, 2: not everybody gets in."""
        lines = htpasswd.check_file(_read_text(file))
        rows = [
            {
                "line": line.number,
                "name": line.name,
                "usable": line.is_usable,
                "code": line.code,
                "why": line.sentence,
            }
            for line in lines
        ]
        said = [f"{line.number:5} {line.name:24} {line.sentence or 'usable'}" for line in lines]
        self.answer(rows, "\n".join(said) or "Nobody stands in this file.")
        if any(line.blocks for line in lines):
            sys.exit(1)
        if not all(line.is_usable for line in lines):
            sys.exit(2)

    def _show_once(self, new: users.NewPassword) -> None:
        user, server = new.user, new.user.server
        repository = restserver.repository_url(server.url, "", "", user.name)
        self.answer(
            {
                "name": user.name,
                "server": server.name,
                "password": new.password,
                "repository": repository,
                "live": user.live_since is not None,
                "live_since": user.live_since,
            },
            f"{user.name} can back up now. This password is shown once:\n\n"
            f"export RESTIC_REST_USERNAME={user.name} RESTIC_REST_PASSWORD={new.password}\n"
            f"restic -r {repository} init\n"
            f"restic -r {repository} backup ~",
        )


def _user(name: str, server: str | None) -> User:
    of = server_named(server)
    user = of.users.filter(name=name).first()
    if user is None:
        raise EngineError(f"{of} has no user called {name}.")
    return user


def _moment(when: str) -> datetime | None:
    """A date means its beginning, in the house's own zone where none is given."""
    if when == "never":
        return None
    try:
        day = parse_date(when)
        moment = datetime(day.year, day.month, day.day) if day else parse_datetime(when)
    except ValueError:
        moment = None
    if moment is None:
        raise EngineError(f"{when} is no time. Write 2026-12-31, 2026-12-31T18:00+01:00 or never.")
    return moment if timezone.is_aware(moment) else timezone.make_aware(moment)


def _read_password(file: str) -> str:
    return _read_text(file).split("\n", 1)[0].removesuffix("\r") if file else ""


def _read_text(file: str) -> str:
    try:
        content = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    except OSError as error:
        raise EngineError(f"{file} cannot be read: {error.strerror}.") from error
    return htpasswd.decode(content)
