"""Teams, departments and agents, as the company edits them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from shared.contracts.envelope import Actor, Bilingual, StaffContact
from shared.contracts.triage import TeamChangedV1
from shared.contracts.vocabulary import Kind, Language, Urgency
from shared.ids import derived_id

TeamKind = Literal["team", "department", "partner"]


@dataclass(frozen=True, slots=True)
class Team:
    """`takes_kinds` and `takes_urgencies` say which complaints are given to it (B5); a kind goes before an urgency."""

    team_id: str
    revision: int
    name: Bilingual
    kind: TeamKind
    takes_kinds: frozenset[Kind] = frozenset()
    takes_urgencies: frozenset[Urgency] = frozenset()
    contact: StaffContact | None = None
    lead: StaffContact | None = None
    manager: StaffContact | None = None
    executive: StaffContact | None = None


@dataclass(frozen=True, slots=True)
class Agent:
    """`skills` are issue types; `product` covers `product.function`. `load` is the number of open cases."""

    contact: StaffContact
    revision: int
    teams: frozenset[str]
    skills: frozenset[str]
    languages: frozenset[Language]
    on_duty: bool = True
    load: int = 0

    @property
    def agent_id(self) -> str:
        return self.contact.staff_id


def team_changed(team: Team, agents: list[Agent], actor: Actor, now: datetime) -> TeamChangedV1:
    members = sorted((agent for agent in agents if team.team_id in agent.teams), key=lambda agent: agent.agent_id)
    return TeamChangedV1(
        event_id=derived_id("team", team.team_id, team.revision),
        occurred_at=now,
        recorded_at=now,
        actor=actor,
        team_id=team.team_id,
        revision=team.revision,
        name=team.name,
        kind=team.kind,
        contact=team.contact,
        lead=team.lead,
        manager=team.manager,
        executive=team.executive,
        members=tuple(agent.contact for agent in members),
    )


def seeded(data: dict[str, Any]) -> tuple[list[Team], list[Agent]]:
    """The roster of a new installation, from ``data/roster.yaml``."""
    executive = StaffContact(**data["executive"])

    def contact(team: dict[str, Any], role: str) -> StaffContact | None:
        return StaffContact(**team[role]) if role in team else None

    teams = [
        Team(
            team_id=team["id"],
            revision=1,
            name=Bilingual(zh=team["zh"], en=team["en"]),
            kind=team["kind"],
            takes_kinds=frozenset(map(Kind, team.get("takes", {}).get("kinds", ()))),
            takes_urgencies=frozenset(map(Urgency, team.get("takes", {}).get("urgencies", ()))),
            contact=contact(team, "contact"),
            lead=contact(team, "lead"),
            manager=contact(team, "manager"),
            executive=contact(team, "executive") or executive,
        )
        for team in data["teams"]
    ]
    agents = [
        Agent(
            contact=StaffContact(
                staff_id=agent["id"], name=agent["name"], email=agent.get("email"), wecom=agent.get("wecom")
            ),
            revision=1,
            teams=frozenset(agent["teams"]),
            skills=frozenset(agent["skills"]),
            languages=frozenset(map(Language, agent["languages"])),
        )
        for agent in data["agents"]
    ]
    return teams, agents
