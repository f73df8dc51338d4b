"""Settings of the workbook's shop: safe and complete for a laptop, set by environment elsewhere."""

import os
from datetime import timedelta
from pathlib import Path

import dj_database_url
from django.core.exceptions import ImproperlyConfigured

BASE_DIR = Path(__file__).resolve().parent.parent

DEBUG = os.environ.get("DEBUG", "1").lower() in {"1", "true", "yes", "on"}
SECRET_KEY = os.environ.get("SECRET_KEY", "")
if not SECRET_KEY:
    if not DEBUG:
        raise ImproperlyConfigured("Set SECRET_KEY to a long random string when DEBUG is off.")
    SECRET_KEY = "for-learning-on-this-machine-only"
ALLOWED_HOSTS = [host for host in os.environ.get("ALLOWED_HOSTS", "").split(",") if host]

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "axes",
    "django_extensions",
    "shopdb",
    "seed",
    "workbook",
]

MIDDLEWARE = [
    "shopdb.middleware.ServerTimingMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "axes.middleware.AxesMiddleware",
]

ROOT_URLCONF = "shopdb.urls"
WSGI_APPLICATION = "shopdb.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

DATABASES = {
    "default": dj_database_url.parse(
        os.environ.get("DATABASE_URL") or f"sqlite:///{BASE_DIR / 'shop.sqlite3'}"
    ),
}
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    # Several notebooks may write at once: readers never wait (WAL), a writer takes its lock when
    # the transaction begins (IMMEDIATE) and waits for its turn (timeout) instead of failing.
    # A cache of 64 MiB keeps the indexes of a million lines at hand.
    DATABASES["default"]["OPTIONS"] = {
        "init_command": (
            "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA cache_size=-65536;"
        ),
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
    }

AUTH_USER_MODEL = "shopdb.User"
LOGIN_URL = "login"  # where the printable invoice sends readers who are not logged in
LOGIN_REDIRECT_URL = "/"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]

# Five failed logins for one username from one address, and both wait a quarter of an hour.
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
]
AXES_FAILURE_LIMIT = 5
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_COOLOFF_TIME = timedelta(minutes=15)
AXES_RESET_ON_SUCCESS = True
AXES_LOCKOUT_CALLABLE = "shopdb.api.views.locked_out"
AXES_VERBOSE = False
CSRF_FAILURE_VIEW = "shopdb.api.views.csrf_failure"

LANGUAGE_CODE = "en-us"
TIME_ZONE = "UTC"
USE_TZ = True

# Where the exercises are, what lays out the second shop that every answer is checked on too, and
# where a learner's progress is kept.
WORKBOOK = {
    "EXERCISES": BASE_DIR / "notebooks" / "exercises",
    "CHAPTERS": BASE_DIR / "notebooks",
    "SECOND_DATASET": "seed.edge_cases.build",
    "PROGRESS": os.environ.get("WORKBOOK_PROGRESS", BASE_DIR / "notebooks" / ".progress.json"),
}

# `shell_plus` and `shell_plus --lab` report their queries as the chapters do. JupyterLab starts as
# root (in a container) only when told.
IPYTHON_ARGUMENTS = ["--ext", "workbook"]
IPYTHON_KERNEL_DISPLAY_NAME = "Django shell_plus"
NOTEBOOK_ARGUMENTS = ["--allow-root"] if getattr(os, "geteuid", lambda: 1)() == 0 else []

STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / "staticfiles"

if not DEBUG:
    SECURE_SSL_REDIRECT = True
    SECURE_HSTS_SECONDS = 31_536_000
    SECURE_HSTS_INCLUDE_SUBDOMAINS = True
    SECURE_HSTS_PRELOAD = True
    SESSION_COOKIE_SECURE = True
    CSRF_COOKIE_SECURE = True
