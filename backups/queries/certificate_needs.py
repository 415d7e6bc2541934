"""What the certificates need a person for."""

from django.db.models import QuerySet
from django.urls import reverse
from django.utils import timezone

from backups.models import Authority, Certificate, Handshake, Server, Watch
from backups.models.present import Now
from backups.queries.need import Need, source


def _ending(now: Now) -> QuerySet[Certificate]:
    ending = Certificate.objects.ending(now).select_related("server")
    return ending.only("subject", "issuer", "not_after", "server__name")


def _of_certificate(certificate: Certificate) -> Need:
    is_over = certificate.state == "failed"
    return Need(
        state=certificate.state,
        label=certificate.words,
        name=certificate.server.name,
        sentence="shows a certificate that is over" if is_over else "needs a new certificate",
        reason=f"{certificate.subject}, from {certificate.issuer}.",
        button="See what to do",
        url=_certificates_of(certificate.server),
        when="It ended" if is_over else "It ends",
        since=certificate.not_after,
    )


def _authorities(now: Now) -> QuerySet[Authority]:
    return Authority.objects.ending(now)


def _of_authority(authority: Authority) -> Need:
    return Need(
        state="warning",
        label="Ends soon" if authority.not_after > timezone.now() else "Over",
        name=authority.name,
        sentence="ends, and all certificates that it signed end with it",
        reason="Make the next one, and give it to the hosts before that day.",
        button="See what to do",
        url=reverse("certificates:authority"),
        when="It ends",
        since=authority.not_after,
    )


def _handshakes(now: Now) -> QuerySet[Handshake]:
    """What a port shows otherwise than it should; one that is down is a need of its server."""
    looked_at = Handshake.objects.filter(server__status=Server.Status.LIVE, server__has_tls=True)
    return looked_at.exclude(problem="").select_related("server")


def _of_handshake(handshake: Handshake) -> Need:
    return Need(
        state="failed",
        label="Another certificate",
        name=handshake.server.name,
        sentence="has a certificate that is not as it should be",
        reason=handshake.problem,
        button="See what to do",
        url=_certificates_of(handshake.server),
        when="Seen",
        since=handshake.looked,
    )


def _watches(now: Now) -> QuerySet[Watch]:
    return Watch.objects.exclude(problem="").select_related("server")


def _of_watch(watch: Watch) -> Need:
    return Need(
        state="warning",
        label="Not applied",
        name=watch.server.name,
        sentence="has a watched folder that gives no certificate",
        reason=watch.problem,
        button="See what to do",
        url=_certificates_of(watch.server),
        when="Looked",
        since=watch.looked,
    )


def _certificates_of(server: Server) -> str:
    return reverse("certificates:server", args=[server.name])


# What hosts see before what only will be.
CERTIFICATE_NEEDS = (
    source(_handshakes, _of_handshake),
    source(_ending, _of_certificate),
    source(_authorities, _of_authority),
    source(_watches, _of_watch),
)
