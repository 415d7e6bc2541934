"""What all commands `manage.py NOUN VERB` share: verbs, `--json`, and sentences for errors."""

import argparse
import json
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, TypeVar

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.core.serializers.json import DjangoJSONEncoder

from backups.actions.house import prepare_database
from backups.engines.errors import EngineError
from backups.models import Host, Operation, Server

Named = TypeVar("Named", Host, Server)
Option = tuple[str, dict[str, Any]]
Verb = Callable[..., None]

SERVER: Option = ("--server", {"help": "name of the server; may be left out if there is one"})


class NounCommand(BaseCommand, ABC):
    """A noun; `verbs` names its verbs with their options."""

    stealth_options = ("verb", "call")
    # They import every page, which takes longer than most verbs; `check` and `run` are for that.
    requires_system_checks: list[str] = []
    needs_database = True
    _as_json = False

    @abstractmethod
    def verbs(self) -> dict[str, tuple[Verb, list[Option]]]:
        """Each verb's name with what it calls and the options of that."""

    def add_arguments(self, parser: CommandParser) -> None:
        # Without this, every verb would be parsed by Django's own parser class and its options.
        parsers = parser.add_subparsers(
            dest="verb", required=True, metavar="VERB", parser_class=argparse.ArgumentParser
        )
        for name, (call, options) in self.verbs().items():
            verb = parsers.add_parser(name, help=(call.__doc__ or "").split("\n")[0])
            verb.add_argument("--json", action="store_true", help="answer as JSON")
            verb.set_defaults(call=call)
            for option, settings in options:
                verb.add_argument(option, **settings)

    def handle(self, *args: Any, call: Verb, **options: Any) -> None:
        self._as_json = options.pop("json")
        own = set(self._own_options(options))
        try:
            if self.needs_database:
                prepare_database()
            call(**{name: options[name] for name in own})
        except EngineError as error:
            raise CommandError(str(error)) from error
        except ValidationError as error:
            from backups.actions.servers import validation_sentence

            raise CommandError(validation_sentence(error)) from error

    def answer(self, data: Any, text: str = "") -> None:
        """Print the data as JSON, or else the text."""
        self.stdout.write(
            json.dumps(data, cls=DjangoJSONEncoder, indent=2) if self._as_json else text
        )

    def tell(self, data: Any, text: str) -> None:
        """One of many answers that come one after the other, each on its line as JSON."""
        self.stdout.write(json.dumps(data, cls=DjangoJSONEncoder) if self._as_json else text)
        self.stdout.flush()

    def _own_options(self, options: dict[str, Any]) -> list[str]:
        common = {"verb", "verbosity", "settings", "pythonpath", "traceback"}
        common |= {"no_color", "force_color", "skip_checks"}
        return [name for name in options if name not in common]


def finish(operation: Operation) -> Operation:
    """Work on it here, unless a worker was quicker; EngineError with the reason of a failure."""
    # What it leads to takes longer to load than most verbs take.
    from backups.actions import operations

    ended = operations.finish(operation)
    if ended.state == Operation.State.FAILED:
        raise EngineError(ended.problem)
    return ended


def named(model: type[Named], name: str) -> Named:
    """The row of this name; EngineError when there is none."""
    row = model._default_manager.filter(name=name).first()
    if row is None:
        raise EngineError(f"There is no {model._meta.verbose_name} called {name}.")
    return row


def server_named(name: str | None) -> Server:
    """The server of this name, or the only one there is."""
    if name:
        return named(Server, name)
    servers = list(Server.objects.lasting()[:2])
    if len(servers) != 1:
        raise EngineError(
            "Say which server: --server NAME." if servers else "There is no server yet."
        )
    return servers[0]
