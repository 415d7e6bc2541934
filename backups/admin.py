"""Django admin: the second door, for the person who knows Django.

What an engine holds is read-only here; the pages change it through the actions.
"""

from typing import Any, cast

from allauth.account.decorators import secure_admin_login
from allauth.mfa.models import Authenticator
from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.db import models
from django.http import HttpRequest

from backups.actions.events import record_event
from backups.models import (
    AcceptedRisk,
    ApiKey,
    Assessment,
    Authority,
    Certificate,
    ContainerEngine,
    DaySum,
    Event,
    Handshake,
    Host,
    Job,
    Operation,
    Operator,
    Receipt,
    Repository,
    Rotation,
    Run,
    RunText,
    Sample,
    Server,
    SigningRequest,
    Slot,
    Unit,
    User,
    UsersFile,
    Watch,
)

admin.site.site_header = admin.site.site_title = "Resthouse"
admin.site.index_title = "Every row of the house"
admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]


@admin.register(Operator)
class OperatorAdmin(UserAdmin):  # type: ignore[type-arg]
    """The one thing that is made and deleted here; the house's book tells of it."""

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        record_event(cast(Operator, request.user), "added", obj)
        return super().log_addition(request, obj, message)

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        record_event(cast(Operator, request.user), "changed", obj)
        return super().log_change(request, obj, message)

    def log_deletions(self, request: HttpRequest, queryset: models.QuerySet[Any]) -> Any:
        for operator in queryset:
            record_event(cast(Operator, request.user), "deleted", operator)
        return super().log_deletions(request, queryset)


class ReadOnlyAdmin(admin.ModelAdmin[Any]):
    """Searchable and filterable, but written elsewhere: by actions and by reports."""

    editable: tuple[str, ...] = ()
    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return False

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        # Django shows what is read-only also where it is excluded.
        left_out = {*self.editable, *(self.exclude or ())}
        return [field.name for field in self.opts.fields if field.name not in left_out]


admin.site.unregister(Authenticator)


@admin.register(Authenticator)
class AuthenticatorAdmin(ReadOnlyAdmin):
    """Without what it is made of; who lost a second factor is helped by deleting it here."""

    list_display = ["user", "type", "created_at", "last_used_at"]
    list_filter = ["type"]
    exclude = ["data"]

    def has_delete_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return admin.ModelAdmin.has_delete_permission(self, request, obj)


@admin.register(Server)
class ServerAdmin(ReadOnlyAdmin):
    list_display = ["name", "status", "image", "address", "port", "live_since", "proven"]
    list_filter = ["status", "is_append_only", "has_private_repositories"]
    search_fields = ["name", "data_directory"]
    # Variables of an adopted container may be secrets.
    exclude = ["extras"]
    editable = ("public_name",)


@admin.register(ContainerEngine)
class ContainerEngineAdmin(ReadOnlyAdmin):
    list_display = ["__str__", "version", "problem", "since", "checked"]


@admin.register(Sample)
class SampleAdmin(ReadOnlyAdmin):
    list_display = ["server", "at", "cpu", "memory", "received", "sent", "uploads"]
    list_filter = ["server"]
    list_select_related = ["server"]


@admin.register(DaySum)
class DaySumAdmin(ReadOnlyAdmin):
    list_display = ["job", "day", "state", "runs", "failed", "missed", "bytes_added"]
    list_filter = ["state"]
    list_select_related = ["job__host"]


@admin.register(User)
class UserOfServerAdmin(ReadOnlyAdmin):
    list_display = ["name", "server", "note", "rotated", "last_seen", "disabled"]
    list_filter = ["server", "disabled"]
    search_fields = ["name", "note"]
    exclude = ["disabled_hash"]
    editable = ("note",)


@admin.register(Certificate)
class CertificateAdmin(ReadOnlyAdmin):
    list_display = ["subject", "server", "issuer", "not_after", "origin", "live_since"]
    list_filter = ["origin", "server"]
    search_fields = ["subject", "issuer", "fingerprint"]
    exclude = ["encrypted_key"]


@admin.register(Authority)
class AuthorityAdmin(ReadOnlyAdmin):
    list_display = ["name", "fingerprint", "not_after", "by_name", "created"]
    search_fields = ["name", "fingerprint"]
    exclude = ["encrypted_key"]


@admin.register(SigningRequest)
class SigningRequestAdmin(ReadOnlyAdmin):
    list_display = ["__str__", "server", "by_name", "created", "answer"]
    list_filter = ["server"]
    list_select_related = ["server", "answer"]
    exclude = ["encrypted_key"]


@admin.register(Handshake)
class HandshakeAdmin(ReadOnlyAdmin):
    list_display = ["server", "fingerprint", "version", "not_after", "stage", "problem", "looked"]
    list_filter = ["stage"]
    list_select_related = ["server"]


@admin.register(Watch)
class WatchAdmin(ReadOnlyAdmin):
    list_display = ["server", "directory", "problem", "looked", "by_name"]
    list_select_related = ["server"]


@admin.register(Host)
class HostAdmin(ReadOnlyAdmin):
    list_display = ["name", "note", "os", "systemd", "restic", "agent", "enrolled", "reported"]
    list_filter = ["enrolled"]
    search_fields = ["name", "note", "hostname"]
    exclude = ["token_hash", "key_hash"]
    editable = ("note",)


@admin.register(Job)
class JobAdmin(ReadOnlyAdmin):
    list_display = ["host", "name", "state", "reason", "due", "last_arrived"]
    list_filter = ["state", "is_backup"]
    search_fields = ["host__name", "name"]
    list_select_related = ["host"]
    editable = ("grace",)


@admin.register(Run)
class RunAdmin(ReadOnlyAdmin):
    list_display = ["started", "job", "kind", "status", "verdict", "exit_code", "bytes_added"]
    list_filter = ["status", "verdict", "kind"]
    search_fields = ["job__host__name", "job__name", "snapshot_id"]
    list_select_related = ["job__host"]
    date_hierarchy = "started"


@admin.register(RunText)
class RunTextAdmin(ReadOnlyAdmin):
    list_display = ["run", "words"]
    list_select_related = ["run__job__host"]


@admin.register(Unit)
class UnitAdmin(ReadOnlyAdmin):
    list_display = ["name", "host", "exposure", "level", "assessed"]
    list_filter = ["level"]
    search_fields = ["name", "host__name"]
    list_select_related = ["host"]


@admin.register(AcceptedRisk)
class AcceptedRiskAdmin(ReadOnlyAdmin):
    list_display = ("field", "unit", "until", "by_name", "reason")
    list_filter = ("until",)
    search_fields = ("field", "reason", "unit__name", "unit__host__name")


@admin.register(Assessment)
class AssessmentAdmin(ReadOnlyAdmin):
    list_display = ["at", "unit", "exposure", "level", "mode", "systemd"]
    list_filter = ["level", "mode"]
    search_fields = ["unit__name", "unit__host__name"]
    list_select_related = ["unit__host"]


@admin.register(Repository)
class RepositoryAdmin(ReadOnlyAdmin):
    list_display = ["path", "server", "user_name", "bytes", "snapshot_count", "last_arrived"]
    list_filter = ["server", "is_gone"]
    search_fields = ["path"]


@admin.register(Receipt)
class ReceiptAdmin(ReadOnlyAdmin):
    list_display = ["snapshot_id", "repository", "arrived", "first_seen", "is_gone"]
    list_filter = ["is_gone"]
    search_fields = ["snapshot_id", "repository__path"]
    list_select_related = ["repository__server"]


@admin.register(Operation)
class OperationAdmin(ReadOnlyAdmin):
    list_display = ["created", "kind", "subject", "state", "step", "attempt", "by_name"]
    list_filter = ["state", "kind"]
    search_fields = ["subject", "problem"]
    # It may hold a pair of files, encrypted.
    exclude = ["former"]


@admin.register(Event)
class EventAdmin(ReadOnlyAdmin):
    list_display = ["at", "by_name", "verb", "noun", "name", "result"]
    list_filter = ["result", "noun", "verb"]
    search_fields = ["name", "by_name", "sentence"]
    date_hierarchy = "at"


@admin.register(Slot)
class SlotAdmin(ReadOnlyAdmin):
    list_display = ["schedule", "at"]
    list_filter = ["schedule"]


@admin.register(UsersFile)
class UsersFileAdmin(ReadOnlyAdmin):
    list_display = ["server", "difference_count", "found_since", "looked"]
    search_fields = ["server__name"]
    list_select_related = ["server"]
    exclude = ("known", "pending")


@admin.register(Rotation)
class RotationAdmin(ReadOnlyAdmin):
    list_display = ["user", "state", "staged", "swapped", "ended", "by_name"]
    list_filter = ["state"]
    search_fields = ["user__name", "user__server__name"]
    list_select_related = ["user__server"]
    exclude = ("new_hash", "former_hash")


@admin.register(ApiKey)
class ApiKeyAdmin(ReadOnlyAdmin):
    list_display = ["operator", "note", "created", "last_used", "revoked"]
    list_filter = ["revoked"]
    search_fields = ["operator__username", "note"]
    list_select_related = ["operator"]
    exclude = ("key_hash",)
