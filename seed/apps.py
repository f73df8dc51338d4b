from django.apps import AppConfig


class SeedConfig(AppConfig):
    name = "seed"

    def ready(self) -> None:
        from seed import checks  # noqa: F401  (registers them)
