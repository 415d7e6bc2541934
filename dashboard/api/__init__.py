"""What hosts and scripts speak: JSON under /api/."""

from django.contrib.auth.decorators import login_not_required
from django.urls import URLPattern
from ninja import NinjaAPI

from backups.version import VERSION
from dashboard.api.hosts import router

api = NinjaAPI(title="Resthouse", version=VERSION, description=__doc__)
api.add_router("", router)

# Hosts have no session: each route says itself who may call it.
urls = api.urls
for _pattern in urls[0]:
    if isinstance(_pattern, URLPattern):
        _pattern.callback = login_not_required(_pattern.callback)
