"""The product's settings, but a killed worker is given up after a few seconds."""

from dashboard.settings import *  # noqa: F403

LEASE_SECONDS = 3
STAY_SHARE = 0.5
