"""One database handle per service: its engine, its schema, its units of work.

Invariant: what a use case wrote, and the outbox rows of the events it added, are committed together when the block of
`Database.session` ends, and nothing is told to anybody before that.
"""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy.engine import URL, make_url
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine

#: `session.info` keys for hooks of one unit of work.
BEFORE_COMMIT = "redress.before_commit"
AFTER_COMMIT = "redress.after_commit"
#: `session.info` key of the `Database` that the session belongs to.
DATABASE = "redress.database"


def async_url(url: str) -> URL:
    """`postgresql://…` as people write it, with the asyncpg driver."""
    parsed = make_url(url)
    return parsed.set(drivername="postgresql+asyncpg")


class Database:
    """The schema of one service. `search_path` is that schema, so no table names it."""

    def __init__(self, url: str, schema: str, *, pool_size: int = 8, application_name: str | None = None) -> None:
        self.url = url
        self.schema = schema
        self.engine: AsyncEngine = create_async_engine(
            async_url(url),
            pool_size=pool_size,
            max_overflow=4,
            pool_pre_ping=False,
            pool_timeout=10,
            # An error's message would quote what was written: contacts, free text.
            hide_parameters=True,
            connect_args={
                "server_settings": {
                    "search_path": f"{schema},public",
                    "application_name": application_name or f"redress-{schema}",
                    "timezone": "UTC",
                    "idle_in_transaction_session_timeout": "60000",
                },
                "timeout": 5,
                "command_timeout": 60,
            },
        )
        #: What every session of this database finds in its `info`.
        self.session_info: dict[str, Any] = {DATABASE: self}
        self._sessions = async_sessionmaker(self.engine, expire_on_commit=False, info=self.session_info)
        #: Called after every commit that wrote outbox rows (the relay's wake-up).
        self.on_outbox: list[Callable[[], None]] = []

    @asynccontextmanager
    async def session(self) -> AsyncGenerator[AsyncSession]:
        """One unit of work: commits when the block ends, rolls back when it raises.

        Hooks: awaitables in ``session.info[BEFORE_COMMIT]`` run inside the transaction just before the commit,
        callables in ``session.info[AFTER_COMMIT]`` after it.
        """
        async with self._sessions() as session:
            async with session.begin():
                yield session
                await session.flush()
                before: list[Callable[[AsyncSession], Awaitable[None]]] = session.info.get(BEFORE_COMMIT, [])
                for hook in before:
                    await hook(session)
            after: list[Callable[[], None]] = session.info.get(AFTER_COMMIT, [])
            for told in after:
                told()

    @asynccontextmanager
    async def reading(self) -> AsyncGenerator[AsyncSession]:
        """A read-only transaction with one snapshot: several queries of one answer agree with each other."""
        async with self._sessions() as session:
            await session.connection(
                execution_options={"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
            )
            yield session

    async def close(self) -> None:
        await self.engine.dispose()


def driver_connection(fairy: Any) -> Any:
    """The asyncpg connection under a SQLAlchemy one, for the few hot writes that use ``unnest``."""
    return fairy.driver_connection
