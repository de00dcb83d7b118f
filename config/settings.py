"""Settings of the reference project, all of them from the environment (docs/reference/settings)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _

from config.database import database_from
from config.env import (
    env_bool,
    env_choice,
    env_float,
    env_int,
    env_list,
    env_secret,
    env_str,
)

BASE_DIR = Path(__file__).resolve().parent.parent
DATA_DIR = Path(env_str("DATA_DIR", str(BASE_DIR / "var"))).expanduser().resolve()

DEBUG = env_bool("DEBUG")
SECRET_KEY = env_secret("SECRET_KEY", minimum_bytes=32, fallback=DATA_DIR / "secret.key")
ALLOWED_HOSTS = env_list("ALLOWED_HOSTS", ("localhost", "127.0.0.1", "[::1]"))

# --- Frontdesk -------------------------------------------------------------------------------

BOTS_BACKEND = env_choice("BOTS_BACKEND", "offline", ("offline", "responses", "chat", "scripted"))
BOTS_MODEL = env_str("BOTS_MODEL")
BOTS_API_KEY = env_str("OPENAI_API_KEY")
BOTS_BASE_URL = env_str("OPENAI_BASE_URL")
BOTS_DISPATCHER = env_choice("BOTS_DISPATCHER", "embedded", ("embedded", "worker", "procrastinate"))
BOTS_ARTICLE_URL = "/help/{language}/{key}/"
BOTS_LEASE_SECONDS = env_float("BOTS_LEASE_SECONDS", 15, minimum=0.5)
BOTS_CONCURRENCY = env_int("BOTS_CONCURRENCY", 100, minimum=1)
BOTS_FLUSH_MS = env_int("BOTS_FLUSH_MS", 30)
BOTS_SCRIPTED_TOKENS = env_int("SCRIPTED_TOKENS", 40, minimum=1)
BOTS_SCRIPTED_RATE = env_float("SCRIPTED_RATE", 50.0, minimum=0.01)

CHATWIDGET_RATE_FACTOR = INBOX_RATE_FACTOR = env_float("RATE_LIMITS", 1.0, minimum=0.001)
INBOX_TRUSTED_PROXIES = env_list("TRUSTED_PROXIES")

# Read by the demo's seed alone.
DEMO_WIDGET_ORIGINS = env_list("WIDGET_ORIGINS")
DEMO_IDENTITY_SECRET = env_secret("IDENTITY_SECRET", minimum_bytes=32)

# --- Django ----------------------------------------------------------------------------------

INSTALLED_APPS = [
    "daphne",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "channels",
    "rest_framework",
    "rest_framework.authtoken",
    "inbox.apps.InboxConfig",
    "chatwidget.apps.ChatwidgetConfig",
    "bots.apps.BotsConfig",
    "config.demo.apps.DemoConfig",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "config.middleware.StaticFiles",
    "config.middleware.ContentSecurityPolicy",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

ROOT_URLCONF = "config.urls"
ASGI_APPLICATION = "config.asgi.application"

TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "config.demo.context.shop",
            ]
        },
    }
]

DATABASES = {"default": database_from(env_str("DATABASE_URL"), data_dir=DATA_DIR)}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

if BOTS_DISPATCHER == "procrastinate":
    if not DATABASES["default"]["ENGINE"].endswith("postgresql"):
        raise ImproperlyConfigured(
            "BOTS_DISPATCHER=procrastinate needs PostgreSQL: set DATABASE_URL=postgresql://…"
        )
    INSTALLED_APPS.append("procrastinate.contrib.django")
    # One turn at a time and a growing table of finished jobs are what it does by itself.
    PROCRASTINATE_WORKER_DEFAULTS = {
        "concurrency": BOTS_CONCURRENCY,
        "delete_jobs": "successful",
    }

REDIS_URL = env_str("REDIS_URL")
CHANNEL_LAYER = env_choice("CHANNEL_LAYER", "pubsub", ("pubsub", "core"))


def _channel_layer() -> dict[str, Any]:
    if not REDIS_URL:
        return {"BACKEND": "channels.layers.InMemoryChannelLayer"}
    # redis-py 8 gives up reading after 5 s, just as long as the layers wait: name a longer time.
    hosts = [{"address": REDIS_URL, "socket_timeout": 15}]
    if CHANNEL_LAYER == "core":
        config = {"hosts": hosts, "capacity": 5000}
        return {"BACKEND": "channels_redis.core.RedisChannelLayer", "CONFIG": config}
    return {"BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer", "CONFIG": {"hosts": hosts}}


CHANNEL_LAYERS = {"default": _channel_layer()}

LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English")), ("de", _("German"))]
LOCALE_PATHS = [BASE_DIR / "config" / "locale"]
TIME_ZONE = "UTC"
USE_TZ = True

STATIC_URL = "/static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = DEBUG
MEDIA_ROOT = DATA_DIR / "uploads"

LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "home"

# --- Security --------------------------------------------------------------------------------

TLS = env_bool("TLS")
SECURE_SSL_REDIRECT = TLS
SESSION_COOKIE_SECURE = TLS
CSRF_COOKIE_SECURE = TLS
SECURE_HSTS_SECONDS = 31_536_000 if TLS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = TLS
SECURE_HSTS_PRELOAD = TLS
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
if not DEBUG:
    AUTH_PASSWORD_VALIDATORS = [
        {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
        {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
        {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    ]

LOG_LEVEL = env_str("LOG_LEVEL", "INFO")
LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {"format": "{asctime} {levelname} {name}: {message}", "style": "{"},
        "json": {"()": "inbox.logs.JsonFormatter"},
    },
    "handlers": {
        "stderr": {
            "class": "logging.StreamHandler",
            "formatter": env_choice("LOG_FORMAT", "line", ("line", "json")),
        }
    },
    "root": {"handlers": ["stderr"], "level": LOG_LEVEL},
    "loggers": {
        "daphne": {"level": "WARNING"},
        # At INFO it tells of each job, and with a traceback of each that a stop gives to another.
        "procrastinate": {"level": "WARNING" if LOG_LEVEL == "INFO" else LOG_LEVEL},
        # Both tell of every single attempt while a server is away; the apps tell it once.
        "psycopg.pool": {"level": "ERROR"},
        "channels_redis": {"level": "CRITICAL"},
    },
}
