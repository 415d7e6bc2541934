"""What hosts and scripts speak: JSON under /api/."""

from django.contrib.auth.decorators import login_not_required
from ninja import NinjaAPI

from dashboard.api.hosts import router
from backups.version import VERSION

api = NinjaAPI(title="Resthouse", version=VERSION, description=__doc__)
api.add_router("", router)

# Hosts have no session: each route says itself who may call it.
for _pattern in api.urls[0]:
    _pattern.callback = login_not_required(_pattern.callback)
