"""Django's own middleware and nothing else: what the goals were measured against."""

from dashboard.settings import *  # noqa: F403

ROOT_URLCONF = "tests.bench.urls"
MIDDLEWARE = [
    name
    for name in MIDDLEWARE  # noqa: F405
    # allauth does not start without its own, which does nothing on other pages.
    if name.startswith(("django.", "whitenoise.", "allauth.")) and "gzip" not in name
]
