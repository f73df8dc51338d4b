from django.apps import AppConfig


class ShopConfig(AppConfig):
    name = "shopdb"
    verbose_name = "Shop"
