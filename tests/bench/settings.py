"""The product's settings, with answers that tell how many queries they took."""

from dashboard.settings import *  # noqa: F403

ROOT_URLCONF = "tests.bench.urls"
MIDDLEWARE = ["tests.bench.urls.count_queries", *MIDDLEWARE]  # noqa: F405
