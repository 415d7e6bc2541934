"""The product's settings on a data folder of their own."""

import os
import tempfile

os.environ["RESTHOUSE_DATA"] = tempfile.mkdtemp(prefix="resthouse-tests-")

from dashboard.settings import *  # noqa: F403

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STORAGES = {
    **STORAGES,  # noqa: F405
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
WHITENOISE_AUTOREFRESH = True
# What dies after three seconds is still seen to die.
STAY_SHARE = 0.5
