"""The same FastAPI server with the tutorial's persistence: one row and one commit per message."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

from fastapi import FastAPI
from sqlalchemy import Text, text
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from benchmarks.references.fastapi_memory import make_app

# With SQLite's own five seconds, writers that wait for each other fail under load.
PATIENT = {"timeout": 60}
engine = create_async_engine(
    f"sqlite+aiosqlite:///{os.environ['CHAT_DATABASE']}", connect_args=PATIENT
)
sessions = async_sessionmaker(engine, expire_on_commit=False)


class Base(DeclarativeBase):
    """The tutorial's tables."""


class ChatMessage(Base):
    """One line of a conversation."""

    __tablename__ = "chat_messages"

    id: Mapped[str] = mapped_column(primary_key=True)
    session_id: Mapped[str] = mapped_column(index=True)
    role: Mapped[str]
    content: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(default=lambda: datetime.now(UTC))


async def save_message(db: AsyncSession, session_id: str, message: dict[str, Any]) -> None:
    fields = {name: message[name] for name in ("id", "role", "content")}
    db.add(ChatMessage(session_id=session_id, **fields))
    await db.commit()


async def store(session_id: str, message: dict[str, Any]) -> None:
    async with sessions() as db:
        await save_message(db, session_id, message)


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    async with engine.connect() as connection:
        await connection.execute(text("PRAGMA journal_mode=WAL"))
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    yield
    await engine.dispose()


app = make_app(store, lifespan=lifespan)
