"""The chat's entry in ``INSTALLED_APPS``."""

from django.apps import AppConfig


class ChatConfig(AppConfig):
    """Follows changes of rooms, wherever they are made."""

    name = "thywill_apps.chat"
    verbose_name = "Chat"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Listen to the models."""
        from thywill_apps.chat import announcements

        announcements.follow()
