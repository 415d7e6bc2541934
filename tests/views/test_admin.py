"""Django admin: every noun is there, and no door writes past the actions."""

import pytest
from django.contrib import admin
from django.db.models import Model
from django.test import Client
from django.urls import reverse

from backups.actions import api_keys
from backups.models import Operator, Rotation, UsersFile
from tests.factories import (
    make_assessment,
    make_certificate,
    make_event,
    make_operation,
    make_receipt,
    make_run,
    make_user,
)

pytestmark = pytest.mark.django_db
HIDDEN = "$2y$10$neverToBeSeenInAnyPageOfTheHouse"
admin.autodiscover()
MODELS = [model for model in admin.site._registry if model._meta.app_label == "backups"]
MADE_BY_PEOPLE = {Operator}


@pytest.fixture(autouse=True)
def one_of_each(operator: Operator) -> None:
    """A row of every noun, with secrets where there are columns for them."""
    Operator.objects.update(is_staff=True, is_superuser=True)
    user = make_user(name="web-01", disabled_hash=HIDDEN)
    Rotation.objects.create(user=user, new_hash=HIDDEN, former_hash=HIDDEN, by_name="ines")
    UsersFile.objects.update_or_create(server=user.server, defaults={"known": HIDDEN})
    make_certificate(user.server)
    make_run()
    make_receipt()
    make_assessment()
    make_operation(user.server)
    make_event()
    api_keys.make_key(operator, by=operator)


def url_of(model: type[Model], page: str, *arguments: object) -> str:
    return reverse(f"admin:backups_{model._meta.model_name}_{page}", args=arguments)


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_every_noun_is_listed_searched_and_shown_without_secrets(
    client: Client, model: type[Model]
) -> None:
    shown = [client.get(url_of(model, "changelist"))]
    if admin.site._registry[model].search_fields:
        shown.append(client.get(url_of(model, "changelist"), {"q": "web"}))
    row = model._default_manager.first()
    if row is not None:
        shown.append(client.get(url_of(model, "change", row.pk)))

    assert {response.status_code for response in shown} == {200}
    assert [HIDDEN in response.content.decode() for response in shown] == [False] * len(shown)


@pytest.mark.parametrize(
    "model", [model for model in MODELS if model not in MADE_BY_PEOPLE], ids=lambda m: m.__name__
)
def test_what_actions_and_reports_write_is_neither_added_nor_deleted_here(
    client: Client, model: type[Model]
) -> None:
    row = model._default_manager.first()
    count = model._default_manager.count()

    refused = [client.post(url_of(model, "add"))]
    if row is not None:
        refused.append(client.post(url_of(model, "delete", row.pk), {"post": "yes"}))

    assert {response.status_code for response in refused} == {403}
    assert model._default_manager.count() == count
