"""`manage.py operators`: who may sign in here."""

import getpass
import sys

from django.conf import settings

from backups.actions import api_keys, operators
from backups.engines.errors import EngineError
from backups.management.noun import NounCommand, Option, Verb
from backups.models import ApiKey, Operator


class Command(NounCommand):
    """Operators: the people who sign in to Resthouse."""

    help = __doc__

    def verbs(self) -> dict[str, tuple[Verb, list[Option]]]:
        return {
            "list": (self.list, []),
            "reset": (self.reset, [("name", {})]),
            "link": (self.link, []),
            "key": (self.key, [("name", {}), ("--note", {"default": "", "help": "what for"})]),
            "keys": (self.keys, []),
            "revoke": (self.revoke, [("number", {"type": int, "help": "as `keys` lists it"})]),
        }

    def list(self) -> None:
        """Who may sign in."""
        rows = [
            {"name": operator.username, "email": operator.email, "last_login": operator.last_login}
            for operator in Operator.objects.order_by("username")
        ]
        self.answer(rows, "\n".join(str(row["name"]) for row in rows) or "Nobody yet.")

    def reset(self, name: str) -> None:
        """Give an operator a new password, asked for here or read from standard input."""
        piped = not sys.stdin.isatty()
        password = sys.stdin.readline().rstrip("\n") if piped else getpass.getpass("New password: ")
        operators.reset_password(name, password, by="terminal")
        self.answer({"name": name}, f"{name} signs in with the new password from now on")

    def link(self) -> None:
        """The one-time link by which the first operator comes."""
        if Operator.objects.exists():
            raise EngineError("This house has its first operator already. Sign in instead.")
        link = f"{settings.RESTHOUSE_URL}/setup/{operators.setup_token()}/"
        self.answer({"link": link}, link)

    def key(self, name: str, note: str) -> None:
        """Make a key with which a script may do what this operator may; printed once."""
        operator = Operator.objects.filter(username=name).first()
        if operator is None:
            raise EngineError(f"There is no operator called {name}.")
        new = api_keys.make_key(operator, note=note, by="terminal")
        self.answer({"name": name, "key": new.token}, new.token)

    def keys(self) -> None:
        """The keys of scripts that are in force, and when each was used last."""
        rows = [
            {
                "number": key.pk,
                "operator": key.operator.username,
                "note": key.note,
                "created": key.created,
                "last_used": key.last_used,
            }
            for key in ApiKey.objects.filter(revoked=None).select_related("operator")
        ]
        lines = [f"{row['number']:>4}  {row['operator']:20} {row['note']}" for row in rows]
        self.answer(rows, "\n".join(lines) or "No key is in force.")

    def revoke(self, number: int) -> None:
        """Refuse a key from now on."""
        key = ApiKey.objects.filter(pk=number, revoked=None).first()
        if key is None:
            raise EngineError(f"No key in force has the number {number}.")
        api_keys.revoke_key(key, by="terminal")
        self.answer({"number": number, "revoked": True}, f"Key {number} is refused from now on")
