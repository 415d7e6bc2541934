"""Operators: who may sign in, and how the first one comes."""

from django.contrib.auth.password_validation import validate_password
from django.contrib.contenttypes.models import ContentType
from django.core import signing
from django.core.exceptions import ValidationError
from django.db import transaction

from backups.actions.events import Actor, record_event
from backups.engines.errors import EngineError
from backups.models import Operator

_SALT = "resthouse.setup"
_SETUP_SECONDS = 24 * 3600


def setup_token() -> str:
    """For the set-up link; it ends with the first operator, and after a day."""
    return signing.dumps("first operator", salt=_SALT)


def is_setup_token(token: str) -> bool:
    """Whether the link still opens: nobody may sign in yet, and it is not a day old."""
    if Operator.objects.exists():
        return False
    try:
        signing.loads(token, salt=_SALT, max_age=_SETUP_SECONDS)
    except signing.BadSignature:
        return False
    return True


def add_first_operator(*, name: str, email: str, password: str) -> Operator:
    """Make the operator of a new house; of two at once, the second is refused."""
    with transaction.atomic():
        # While there is no operator, there is no row of one to wait for.
        list(ContentType.objects.select_for_update().filter(model="operator"))
        if Operator.objects.exists():
            raise EngineError("This house has its first operator already. Sign in instead.")
        operator = Operator.objects.create_superuser(name, email, password)
        record_event(operator, "set up", operator)
    return operator


def reset_password(name: str, password: str, *, by: Actor) -> Operator:
    """Give an operator a new password, from the terminal of the machine itself."""
    operator = Operator.objects.filter(username=name).first()
    if operator is None:
        raise EngineError(f"There is no operator called {name}.")
    try:
        validate_password(password, operator)
    except ValidationError as error:
        raise EngineError(" ".join(error.messages)) from error
    operator.set_password(password)
    operator.save(update_fields=["password"])
    record_event(by, "reset the password of", operator)
    return operator
