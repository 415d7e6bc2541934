"""The house's book."""

from backups.models import Event, Operator

# Who acts: a person who signed in, or the name of a part of the house ("terminal", "scheduler").
Actor = Operator | str


def record_event(
    by: Actor, verb: str, thing: object, *, name: str = "", sentence: str = "", result: str = "done"
) -> Event:
    """Write one line; `thing` is a model instance, or the noun itself where no row is left."""
    noun = thing if isinstance(thing, str) else type(thing).__name__.lower()
    return Event.objects.create(
        by=operator_of(by),
        by_name=str(by),
        verb=verb,
        noun=noun,
        name=name or str(thing),
        sentence=sentence,
        result=result,
    )


def operator_of(by: Actor) -> Operator | None:
    return by if isinstance(by, Operator) else None
