"""Every route, on one screen."""

from django.contrib import admin
from django.urls import include, path, re_path

from dashboard import api
from dashboard.views import (
    absent,
    adopted,
    agent,
    certificates,
    certificates_of,
    differences,
    events,
    health,
    hosts,
    imports,
    jobs,
    operations,
    options,
    overview,
    repositories,
    risks,
    rotations,
    runs,
    server_log,
    servers,
    settings,
    setup,
    units,
    users,
    windows,
)

server_urls = [
    path("", servers.index, name="index"),
    path("new/", servers.create, name="create"),
    path("adopted/", adopted.create, name="adopt"),
    path("<str:name>/", servers.show, name="show"),
    path("<str:name>/retry/", servers.retry, name="retry"),
    path("<str:name>/image/", servers.image, name="image"),
    path("<str:name>/forget/", servers.forget, name="forget"),
    path("<str:name>/log/", server_log.show, name="log"),
    path("<str:name>/log.txt", server_log.text, name="log_text"),
    path("<str:name>/options/", options.edit, name="options"),
    path("<str:name>/upgrade/", options.upgrade, name="upgrade"),
    path("<str:name>/returned/", adopted.put_back, name="put_back"),
    path("<str:name>/adopted/", adopted.adopt_drift, name="adopt_drift"),
    path("<str:name>/window/", windows.create, name="window"),
    path("<str:name>/window/longer/", windows.extend, name="window_longer"),
    path("<str:name>/window/closed/", windows.close, name="window_closed"),
    path("<str:name>/data/", servers.erase, name="erase"),
    path("<str:name>/<str:verb>/", servers.drive, name="drive"),
]

user_urls = [
    path("", users.index, name="index"),
    path("new/", users.create, name="create"),
    path("import/", imports.create, name="import"),
    path("export/", imports.export, name="export"),
    path("adopted/", differences.adopt, name="adopt"),
    path("undone/", differences.undo, name="undo"),
    path("mended/", differences.mend, name="mend"),
    path("<str:server>/<str:name>/", users.show, name="show"),
    path("<str:server>/<str:name>/edit/", users.edit, name="edit"),
    path("<str:server>/<str:name>/rotation/", rotations.create, name="rotate"),
    path("<str:server>/<str:name>/rotation/staged/", rotations.stage, name="stage"),
    path("<str:server>/<str:name>/rotation/swapped/", rotations.swap, name="swap"),
    path("<str:server>/<str:name>/rotation/returned/", rotations.take_back, name="take_back"),
    path("<str:server>/<str:name>/rotation/steps/", rotations.show, name="rotation"),
    path("<str:server>/<str:name>/disabling/", users.disable, name="disable"),
    path("<str:server>/<str:name>/enabling/", users.enable, name="enable"),
    path("<str:server>/<str:name>/delete/", users.delete, name="delete"),
]

certificate_urls = [
    path("", certificates.index, name="index"),
    path("authority/", certificates.authority, name="authority"),
    path("<str:server>/", certificates_of.show, name="server"),
    path("<str:server>/new/", certificates_of.create, name="create"),
    path("<str:server>/new/made/", certificates_of.make, name="make"),
    path("<str:server>/watch/", certificates_of.watch, name="watch"),
    path("<str:server>/watch/end/", certificates_of.unwatch, name="unwatch"),
    path("<str:server>/renewal/", certificates_of.renew, name="renew"),
    path("<str:server>/rollback/", certificates_of.rollback, name="rollback"),
    path("<str:server>/line/", certificates_of.line, name="line"),
    path("<str:server>/adopted/", certificates_of.adopt, name="adopt"),
    path("<str:server>/restored/", certificates_of.restore, name="restore"),
    path("<str:server>/requests/<int:pk>/", certificates_of.signing_request, name="request"),
    path("<str:server>/<int:pk>/", certificates.show, name="show"),
    path("<str:server>/<int:pk>/application/", certificates.apply, name="apply"),
    path("<str:server>/<int:pk>/chain.pem", certificates.chain, name="chain"),
    path("<str:server>/<int:pk>/ca.pem", certificates.root, name="root"),
    path("<str:server>/<int:pk>/key/", certificates.key, name="key"),
]

host_urls = [
    path("", hosts.index, name="index"),
    path("new/", hosts.create, name="create"),
    path("<str:name>/", hosts.show, name="show"),
    path("<str:name>/token/", hosts.token, name="token"),
    path("<str:name>/edit/", hosts.edit, name="edit"),
    path("<str:name>/retirement/", hosts.retire, name="retire"),
    path("<str:name>/returned/", hosts.take_back, name="take_back"),
    path("<str:name>/revocation/", hosts.revoke, name="revoke"),
    path("<str:name>/delete/", hosts.delete, name="delete"),
]

job_urls = [
    path("<int:pk>/hold/", jobs.hold, name="hold"),
    path("<int:pk>/resumed/", jobs.resume, name="resume"),
    path("<int:pk>/schedule/", jobs.expect, name="schedule"),
]

admin.autodiscover()

urlpatterns = [
    path("", include(([path("", overview.index, name="index")], "overview"))),
    path("servers/", include((server_urls, "servers"))),
    path("users/", include((user_urls, "users"))),
    path("certificates/", include((certificate_urls, "certificates"))),
    path("hosts/", include((host_urls, "hosts"))),
    path("jobs/", include((job_urls, "jobs"))),
    path(
        "runs/",
        include(
            (
                [
                    path("", runs.index, name="index"),
                    path("<int:pk>/", runs.show, name="show"),
                ],
                "runs",
            )
        ),
    ),
    path("repositories/", include(([path("", repositories.index, name="index")], "repositories"))),
    path(
        "hardening/risks/",
        include(
            (
                [
                    path("", risks.index, name="index"),
                    path("policy/", risks.policy, name="policy"),
                    path("month/", risks.month, name="month"),
                    path("<int:pk>/delete/", risks.delete, name="delete"),
                    path("<str:host>/<str:name>/new/", risks.create, name="create"),
                ],
                "risks",
            )
        ),
    ),
    path(
        "hardening/",
        include(
            (
                [
                    path("", units.index, name="index"),
                    path("<str:host>/<str:name>/", units.show, name="show"),
                    path("<str:host>/<str:name>/drop-in/", units.dropin, name="dropin"),
                    path("<str:host>/<str:name>/whole/", units.whole, name="whole"),
                ],
                "units",
            )
        ),
    ),
    path("events/", include(([path("", events.index, name="index")], "events"))),
    path("settings/", include(([path("", settings.index, name="index")], "settings"))),
    path("operations/<int:pk>/", include(([path("", operations.show, name="show")], "operations"))),
    path("setup/<str:token>/", setup.show, name="setup"),
    path("agent", agent.show, name="agent"),
    path("health/", health.show, name="health"),
    path("api/", api.urls),
    # Nobody signs up here, and no mail is sent: the terminal gives forgotten passwords anew.
    re_path("^account/(?:signup|email|confirm-email|password/reset|login/code)/", absent.show),
    path("account/", include("allauth.account.urls")),
    path("account/2fa/", include("allauth.mfa.urls")),
    path("admin/", admin.site.urls),
]
