"""Settings of the workbook's shop: safe and complete for a laptop, set by environment elsewhere."""

import os
from datetime import timedelta
from importlib.util import find_spec
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

from shopdb import environment

BASE_DIR = Path(__file__).resolve().parent.parent

DEBUG = environment.flag("DEBUG", True)
SECRET_KEY = os.environ.get("SECRET_KEY", "")
if not SECRET_KEY:
    if not DEBUG:
        raise ImproperlyConfigured("Set SECRET_KEY to a long random string when DEBUG is off.")
    SECRET_KEY = "for-learning-on-this-machine-only"
ALLOWED_HOSTS = environment.comma_list("ALLOWED_HOSTS")
# How many proxies stand in front. Each adds the address it was called from to X-Forwarded-For, so
# the client's is that many from the right; with none in front, the header is the client's word.
TRUSTED_PROXIES = environment.whole_number("TRUSTED_PROXIES", 0)

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "axes",
    "shopdb",
    "seed",
]
if DEBUG:
    INSTALLED_APPS += ["django_extensions", "workbook"]  # for people; a server needs neither

MIDDLEWARE = [
    "shopdb.middleware.ServerTimingMiddleware",
    "shopdb.middleware.ApiMiddleware",
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
    "default": environment.database(
        f"sqlite:///{BASE_DIR / 'shop.sqlite3'}", conn_max_age=0 if DEBUG else 60
    )
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
        **DATABASES["default"]["OPTIONS"],
    }

AUTH_USER_MODEL = "shopdb.User"
DEMO_USERS = DEBUG  # whether `seed` may make users whose password is published
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

# Failed logins: five for one username from one address, or thirty from one address whatever the
# names, and it waits for a quarter of an hour. logins.py says what else keeps guessers slow.
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "shopdb.logins.ShopBackend",
]
LOGIN_FAILURES_PER_ADDRESS = 30
AXES_FAILURE_LIMIT = 5
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_COOLOFF_TIME = timedelta(minutes=15)
AXES_RESET_ON_SUCCESS = True
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
AXES_HANDLER = "shopdb.logins.LoginAttempts"
AXES_CLIENT_IP_CALLABLE = "shopdb.logins.client_address"
AXES_LOCKOUT_CALLABLE = "shopdb.logins.locked_out"
AXES_VERBOSE = False
CSRF_FAILURE_VIEW = "shopdb.api.answers.csrf_failure"

LANGUAGE_CODE = "en-us"
TIME_ZONE = "UTC"
USE_TZ = True

# Where the exercises and the chapters are, where a learner's own copies of the chapters go and
# what is kept of their progress (WORKBOOK_PROGRESS= keeps none), what lays out the second shop
# that every answer is checked on too, and what knows whether the shop is as it was seeded. Where a
# learner reports a refusal that was wrong: the issue template takes the exercise's number.
REPOSITORY = environment.repository(BASE_DIR)
WORKBOOK = {
    "EXERCISES": BASE_DIR / "notebooks" / "exercises",
    "CHAPTERS": BASE_DIR / "notebooks",
    "COPIES": BASE_DIR / "my_notebooks",
    "PROGRESS": os.environ.get("WORKBOOK_PROGRESS", BASE_DIR / "my_notebooks" / ".progress.json"),
    "SECOND_DATASET": "seed.edge_cases.build",
    "SHOP": "seed.state",
    "REFUSED": REPOSITORY
    and REPOSITORY + "/issues/new?template=refused.yml&title={number}&exercise={number}",
}

# `shell_plus` and `shell_plus --lab` report their queries as the chapters do. JupyterLab starts as
# root (in a container) only when told.
IPYTHON_ARGUMENTS = ["--ext", "workbook"]
IPYTHON_KERNEL_DISPLAY_NAME = "Django shell_plus"
NOTEBOOK_ARGUMENTS = ["--allow-root"] if getattr(os, "geteuid", lambda: 1)() == 0 else []

STATIC_URL = "static/"
# Where `manage.py collectstatic` puts the files, for a proxy that serves them itself.
STATIC_ROOT = os.environ.get("STATIC_ROOT")

if not DEBUG:
    # HTTPS=0 is for trying production out, or for a network that is private anyway.
    HTTPS = environment.flag("HTTPS", True)
    SECURE_SSL_REDIRECT = SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
    SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
    SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = HTTPS
    if TRUSTED_PROXIES:
        SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

    # Django alone serves no static files in production. WhiteNoise does, and finds them where
    # the apps keep them, so there is no step to forget.
    if find_spec("whitenoise"):
        MIDDLEWARE.insert(
            MIDDLEWARE.index("django.middleware.security.SecurityMiddleware") + 1,
            "whitenoise.middleware.WhiteNoiseMiddleware",
        )
        WHITENOISE_USE_FINDERS = True
        WHITENOISE_MAX_AGE = 3600

    # Django's own default would send errors by mail, to nobody.
    LOGGING = {
        "version": 1,
        "disable_existing_loggers": False,
        "handlers": {"console": {"class": "logging.StreamHandler"}},
        "root": {"handlers": ["console"], "level": "WARNING"},
        "loggers": {  # a client's mistakes are no event
            "django.request": {"level": "ERROR"},
            "django.security.DisallowedHost": {"level": "CRITICAL"},
        },
    }
