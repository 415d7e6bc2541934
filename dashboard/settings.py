"""Settings; the first block is every variable that is read from the environment."""

from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit

import django_stubs_ext
import environ
from csp.constants import NONE, SELF

from dashboard.secret import secret_key

BASE_DIR = Path(__file__).resolve().parent.parent

env = environ.FileAwareEnv()
RESTHOUSE_DATA = Path(env.str("RESTHOUSE_DATA", str(BASE_DIR / "var"))).absolute()
RESTHOUSE_BIND = env.str("RESTHOUSE_BIND", "127.0.0.1:8080")
RESTHOUSE_URL = env.str("RESTHOUSE_URL", f"http://{RESTHOUSE_BIND}").rstrip("/")
RESTHOUSE_NAME = env.str("RESTHOUSE_NAME", "")
RESTHOUSE_SERVER_IMAGE = env.str("RESTHOUSE_SERVER_IMAGE", "restic/rest-server:latest")
RESTHOUSE_DEMO = env.bool("RESTHOUSE_DEMO", False)
SECRET_KEY = env.str("SECRET_KEY", "") or secret_key(RESTHOUSE_DATA)
ENCRYPTION_KEY = env.list("ENCRYPTION_KEY", default=[])
DATABASE_URL = env.str("DATABASE_URL", "") or f"sqlite:///{RESTHOUSE_DATA}/resthouse.sqlite3"
DEBUG = env.bool("DEBUG", False)
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["127.0.0.1", "localhost", "[::1]"])
HTTPS = env.bool("HTTPS", RESTHOUSE_URL.startswith("https://"))
TIME_ZONE = env.str("TIME_ZONE", "UTC")
BCRYPT_COST = env.int("BCRYPT_COST", 10)
RUNS_KEPT_DAYS = env.int("RUNS_KEPT_DAYS", 400)
LOG_LEVEL = env.str("LOG_LEVEL", "INFO")
STATIC_ROOT = Path(env.str("STATIC_ROOT", "") or RESTHOUSE_DATA / "static")

_LOOPBACK = ["127.0.0.1", "localhost", "[::1]"]
_NAME = urlsplit(RESTHOUSE_URL).hostname or "localhost"
_OWN_HOST = f"[{_NAME}]" if ":" in _NAME else _NAME
# The last ones are for the machine's own health check.
ALLOWED_HOSTS = list(dict.fromkeys([*ALLOWED_HOSTS, _OWN_HOST, *_LOOPBACK]))
# Its error pages show settings: nobody but this machine may see them.
DEBUG = DEBUG and RESTHOUSE_BIND.rpartition(":")[0] in _LOOPBACK

django_stubs_ext.monkeypatch()

INSTALLED_APPS = [
    "dashboard",
    # Its pages are found with the addresses (urls.py): no other process needs them.
    "django.contrib.admin.apps.SimpleAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "django.forms",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    # After those whose pages in Django admin it replaces.
    "backups",
    "csp",
    "django_htmx",
    "django_tasks",
    "django_tasks_db",
    "template_partials",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.middleware.gzip.GZipMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "csp.middleware.CSPMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "dashboard.middleware.CacheMiddleware",
    "dashboard.middleware.LoginMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "dashboard.middleware.EngineErrorMiddleware",
]

ROOT_URLCONF = "dashboard.urls"
WSGI_APPLICATION = "dashboard.wsgi.application"
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"
# The page of the API needs its files alone; as an app, every command would import all of it.
_NINJA = Path(str(find_spec("ninja").origin)).parent  # type: ignore[union-attr]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates", _NINJA / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "builtins": [
                "template_partials.templatetags.partials",
                "dashboard.templatetags.figures",
                "dashboard.templatetags.ui",
            ],
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "dashboard.context.house",
            ],
        },
    }
]

DATABASES = {"default": environ.Env.db_url_config(DATABASE_URL)}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    # IMMEDIATE: with DEFERRED one write in ten met "database is locked" under three writers.
    DATABASES["default"]["OPTIONS"] = {
        "timeout": 20,
        "transaction_mode": "IMMEDIATE",
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;"
        "PRAGMA temp_store=MEMORY; PRAGMA mmap_size=134217728;"
        "PRAGMA journal_size_limit=27103364; PRAGMA cache_size=-20000;",
    }
DATABASES["default"]["CONN_MAX_AGE"] = None
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "cache",
        # With Django's 300, many addresses drove out the failed sign-ins.
        "OPTIONS": {"MAX_ENTRIES": 20_000},
    },
    # How often each host has reported: a flood is held off without a write for each report. Of
    # several web processes, each counts for itself.
    "reports": {
        "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
        "LOCATION": "reports",
        "OPTIONS": {"MAX_ENTRIES": 20_000},
    },
}
QUEUES = ["operations", "checks", "samples"]
TASKS = {"default": {"BACKEND": "django_tasks_db.DatabaseBackend", "QUEUES": QUEUES}}

AUTH_USER_MODEL = "backups.Operator"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
_VALIDATION = "django.contrib.auth.password_validation"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"{_VALIDATION}.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": f"{_VALIDATION}.UserAttributeSimilarityValidator"},
    {"NAME": f"{_VALIDATION}.CommonPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "overview:index"
ACCOUNT_ADAPTER = "dashboard.accounts.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"username", "email"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "email", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_LOGOUT_REDIRECT_URL = "account_login"
MFA_ADAPTER = "dashboard.accounts.MFAAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_TOTP_ISSUER = "Resthouse"
# Browsers allow passkeys on http only for localhost; there the library wants to be told.
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not HTTPS and _OWN_HOST in _LOOPBACK
# Whoever counts guesses by address believes a proxy, but nobody else.
ALLAUTH_TRUSTED_PROXY_COUNT = NINJA_NUM_PROXIES = int(HTTPS)

SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SESSION_COOKIE_AGE = 14 * 24 * 3600
CSRF_TRUSTED_ORIGINS = [RESTHOUSE_URL]
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if HTTPS else None
SECURE_SSL_REDIRECT = HTTPS
# The machine's own health check comes without the proxy.
SECURE_REDIRECT_EXEMPT = [r"^health/$"]
SECURE_HSTS_SECONDS = 30 * 24 * 3600 if HTTPS else 0
# This house does not speak for the other names of its domain.
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
DATA_UPLOAD_MAX_MEMORY_SIZE = 8 * 1024 * 1024
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        # Django admin and the QR code of two-factor sign-in show images from data: addresses.
        "img-src": [SELF, "data:"],
        "base-uri": [NONE],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "object-src": [NONE],
    }
}

LANGUAGE_CODE = "en"
USE_I18N = False
USE_TZ = True

STATIC_URL = "static/"
STATICFILES_DIRS = [BASE_DIR / "static", _NINJA / "static"]
# Maps are fetched by developers' tools alone, and compressing them took most of the first start.
WHITENOISE_SKIP_COMPRESS_EXTENSIONS = ["map", "png", "woff2", "gz"]
WHITENOISE_KEEP_ONLY_HASHED_FILES = True
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{levelname:.1} {name}: {message}", "style": "{"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": LOG_LEVEL},
    "loggers": {
        # Each turn of a schedule is a task: at INFO they would drown what happens.
        "django_tasks": {"level": "WARNING"},
        "django_tasks_db": {"level": "WARNING"},
        # Anybody can send a wrong name; the answer 400 says it, a traceback adds nothing.
        "django.security.DisallowedHost": {"level": "CRITICAL"},
    },
}
