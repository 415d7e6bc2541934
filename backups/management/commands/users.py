"""`manage.py users`: the entries of `.htpasswd`."""

from backups import engines
from backups.actions import users, users_import, users_reconcile
from backups.engines import restserver
from backups.engines.errors import EngineError
from backups.management.noun import SERVER, NounCommand, Option, Verb, server_named
from backups.models import User

_NAME: Option = ("name", {})
_PASSWORD_FILE: Option = (
    "--password-file",
    {"default": "", "help": "read the password from this file instead of generating one"},
)


class Command(NounCommand):
    """Users: who may back up to a server."""

    help = __doc__

    def verbs(self) -> dict[str, tuple[Verb, list[Option]]]:
        return {
            "list": (self.list, [SERVER]),
            "add": (self.add, [_NAME, SERVER, ("--note", {"default": ""}), _PASSWORD_FILE]),
            "rotate": (self.rotate, [_NAME, SERVER, _PASSWORD_FILE]),
            "note": (self.note, [_NAME, ("text", {}), SERVER]),
            "disable": (self.disable, [_NAME, SERVER]),
            "enable": (self.enable, [_NAME, SERVER]),
            "delete": (self.delete, [_NAME, SERVER]),
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
                "last_seen": user.last_seen,
            }
            for user in of.users.all()
        ]
        lines = [
            f"{row['name']:24} {'disabled' if row['is_disabled'] else row['hash']}" for row in rows
        ]
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

    def delete(self, name: str, server: str | None) -> None:
        """Remove a user; its repositories stay."""
        users.delete_user(_user(name, server), by="terminal")
        self.answer({"name": name, "deleted": True}, f"{name} is deleted")

    def _show_once(self, new: users.NewPassword) -> None:
        user, server = new.user, new.user.server
        repository = restserver.repository_url(server.url, "", "", user.name)
        self.answer(
            {
                "name": user.name,
                "server": server.name,
                "password": new.password,
                "repository": repository,
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


def _read_password(file: str) -> str:
    if not file:
        return ""
    try:
        with open(file, encoding="utf-8") as stream:  # noqa: PTH123
            return stream.readline().rstrip("\n")
    except OSError as error:
        raise EngineError(f"{file} cannot be read: {error.strerror}.") from error
