"""`manage.py hosts`: the machines that back up."""

from typing import Any

from django.conf import settings

from backups.actions import hosts
from backups.engines.pins import pin_shown_at
from backups.management.noun import NounCommand, Option, Verb, named
from backups.models import Host

_NAME: Option = ("name", {})


class Command(NounCommand):
    """Hosts: the machines that back up, and their agents."""

    help = __doc__

    def verbs(self) -> dict[str, tuple[Verb, list[Option]]]:
        return {
            "list": (self.list, [("--tag", {"default": ""}), ("--group", {"default": ""})]),
            "show": (self.show, [_NAME]),
            "add": (self.add, [_NAME, ("--note", {"default": ""})]),
            "token": (self.token, [_NAME]),
            "revoke": (self.revoke, [_NAME]),
            "retire": (self.retire, [_NAME]),
            "return": (self.take_back, [_NAME]),
            "delete": (self.delete, [_NAME]),
        }

    def list(self, tag: str, group: str) -> None:
        """Who reports, and when it did so last."""
        hosts = Host.objects.tagged(tag) if tag else Host.objects.all()
        hosts = hosts.filter(group=group) if group else hosts
        rows = [
            {"name": host.name, "is_enrolled": host.is_enrolled, "reported": host.reported}
            for host in hosts
        ]
        lines = [f"{row['name']:24} {row['reported'] or 'never reported'}" for row in rows]
        self.answer(rows, "\n".join(lines) or "No host yet.")

    def show(self, name: str) -> None:
        """What is known of it, with its jobs."""
        facts = _facts(named(Host, name))
        lines = [f"{key:13} {value}" for key, value in facts.items() if key != "jobs"]
        lines += [f"job           {job['name']}: {job['state']}" for job in facts["jobs"]]
        self.answer(facts, "\n".join(lines))

    def retire(self, name: str) -> None:
        """Keep its history, expect nothing of it, refuse its agent."""
        hosts.retire_host(named(Host, name), by="terminal")
        self.answer({"name": name, "is_retired": True}, f"{name} is retired; its history stays")

    def take_back(self, name: str) -> None:
        """Back into the fleet; it needs a new token."""
        hosts.return_host(named(Host, name), by="terminal")
        self.answer({"name": name, "is_retired": False}, f"{name} is in the fleet again")

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
        url = settings.RESTHOUSE_URL
        command = hosts.enrol_command(url, new.token, pin=pin_shown_at(url))
        data = {"name": new.host.name, "token": new.token, "command": command}
        self.answer(data, f"Run this on {new.host.name}, within a day:\n\n{command}")


def _facts(host: Host) -> dict[str, Any]:
    told = ("hostname", "os", "kernel", "systemd", "restic", "python", "agent")
    return {
        "name": host.name,
        "note": host.note,
        "group": host.group,
        "tags": host.tag_list,
        "is_enrolled": host.is_enrolled,
        "is_retired": host.is_retired,
        "is_always_on": host.is_always_on,
        "reported": host.reported,
        "clock_offset": host.clock_offset and host.clock_offset.total_seconds(),
        **{name: getattr(host, name) for name in told},
        "jobs": [
            {"name": job.name, "state": job.state, "reason": job.reason, "due": job.due}
            for job in host.jobs.all()
        ],
    }
