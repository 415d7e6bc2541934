"""`manage.py hosts`: the machines that back up."""

from django.conf import settings

from backups.actions import hosts
from backups.management.noun import NounCommand, Option, Verb, named
from backups.models import Host

_NAME: Option = ("name", {})


class Command(NounCommand):
    """Hosts: the machines that back up, and their agents."""

    help = __doc__

    def verbs(self) -> dict[str, tuple[Verb, list[Option]]]:
        return {
            "list": (self.list, []),
            "add": (self.add, [_NAME, ("--note", {"default": ""})]),
            "token": (self.token, [_NAME]),
            "revoke": (self.revoke, [_NAME]),
            "delete": (self.delete, [_NAME]),
        }

    def list(self) -> None:
        """Who reports, and when it did so last."""
        rows = [
            {"name": host.name, "is_enrolled": host.is_enrolled, "reported": host.reported}
            for host in Host.objects.all()
        ]
        lines = [f"{row['name']:24} {row['reported'] or 'never reported'}" for row in rows]
        self.answer(rows, "\n".join(lines) or "No host yet.")

    def add(self, name: str, note: str) -> None:
        """Add a machine; its one-time token is printed once."""
        self._show_once(hosts.add_host(name, note=note, by="terminal"))

    def token(self, name: str) -> None:
        """Make a new one-time token."""
        self._show_once(hosts.renew_token(named(Host, name), by="terminal"))

    def revoke(self, name: str) -> None:
        """Refuse its agent from now on."""
        hosts.revoke_key(named(Host, name), by="terminal")
        self.answer({"name": name, "is_enrolled": False}, f"{name}: its agent is refused")

    def delete(self, name: str) -> None:
        """Forget a machine with its history; its snapshots stay."""
        hosts.delete_host(named(Host, name), by="terminal")
        self.answer({"name": name, "deleted": True}, f"{name} is deleted")

    def _show_once(self, new: hosts.NewToken) -> None:
        command = hosts.enrol_command(settings.RESTHOUSE_URL, new.token)
        data = {"name": new.host.name, "token": new.token, "command": command}
        self.answer(data, f"Run this on {new.host.name}, within a day:\n\n{command}")
