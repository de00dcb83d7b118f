"""The tutorial's two tables."""

from __future__ import annotations

from django.db import models


class Conversation(models.Model):
    """Whoever knows the name is in."""

    name = models.CharField(max_length=64, unique=True)

    def __str__(self) -> str:
        return self.name


class Message(models.Model):
    """One line of a conversation."""

    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE)
    role = models.CharField(max_length=16)
    content = models.TextField()
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.content[:40]
