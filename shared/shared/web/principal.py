"""Who is calling, and in which roles."""

from dataclasses import dataclass
from enum import StrEnum

from shared.contracts.envelope import Actor, ActorKind


class Role(StrEnum):
    ADAPTER = "adapter"
    AGENT = "agent"
    LEAD = "lead"
    MANAGER = "manager"
    QUALITY = "quality"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class Principal:
    """A signed-in person (token) or a channel adapter (token or key). `teams` are team ids."""

    subject: str
    roles: frozenset[Role]
    name: str = ""
    teams: frozenset[str] = frozenset()

    @property
    def kind(self) -> ActorKind:
        return ActorKind.ADAPTER if Role.ADAPTER in self.roles else ActorKind.PERSON

    @property
    def actor(self) -> Actor:
        """The contracts' actor, for events and the timeline."""
        return Actor(kind=self.kind, id=self.subject, name=self.name)

    @property
    def key(self) -> str:
        """What tells principals apart: an adapter and a person may have the same subject."""
        return f"{self.kind}:{self.subject}"

    def has(self, *roles: Role) -> bool:
        """Whether one of the roles is there; an admin has them all."""
        return Role.ADMIN in self.roles or not self.roles.isdisjoint(roles)
