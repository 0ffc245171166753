"""Teams, departments and agents."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Response
from pydantic import BaseModel, Field, StrictBool

from shared.contracts.envelope import Bilingual, StaffContact
from shared.contracts.vocabulary import Kind, Language, Urgency
from shared.web.errors import PreconditionFailed, responses
from shared.web.etag import IfMatch, etag
from triage_service.api.shapes import (
    AGENT_ID,
    NO_NUL,
    TEAM_ID,
    AgentId,
    Body,
    Code,
    DepsDep,
    Label,
    LeadDep,
    ManagerDep,
    StaffDep,
    TeamId,
    example,
)
from triage_service.domain.roster import Agent, Team, TeamKind
from triage_service.usecases import roster
from triage_service.usecases.errors import UnknownTeam

router = APIRouter(tags=["roster"])

Email = Annotated[str, Field(max_length=254, pattern=r"^[^@\s\x00]+@[^@\s\x00]+$")]
Phone = Annotated[str, Field(max_length=40, pattern=r"^[0-9+() -]+$")]
Account = Annotated[str, Field(min_length=1, max_length=100, pattern=NO_NUL)]


class StaffBody(Body):
    """A member of staff by work contacts."""

    staff_id: AgentId
    name: Label
    email: Email | None = None
    phone: Phone | None = None
    wecom: Account | None = None

    def contact(self) -> StaffContact:
        return StaffContact(**self.model_dump())


class TeamBody(Body):
    """`takes_kinds` and `takes_urgencies`: which complaints it is given (B5); a kind goes before an urgency. Where
    several teams take the same, the first by id does."""

    model_config = example(
        {
            "name": {"zh": "研发部", "en": "R&D"},
            "kind": "department",
            "contact": {"staff_id": "luo.feng", "name": "罗峰", "email": "luo.feng@example.com"},
            "manager": {"staff_id": "han.lei", "name": "韩磊", "email": "han.lei@example.com"},
        }
    )

    class Name(Body):
        zh: Label
        en: Label

    name: Name
    kind: TeamKind
    takes_kinds: list[Kind] = Field(default_factory=list, max_length=20)
    takes_urgencies: list[Urgency] = Field(default_factory=list, max_length=20)
    contact: StaffBody | None = None
    lead: StaffBody | None = None
    manager: StaffBody | None = None
    executive: StaffBody | None = None


class TeamOut(BaseModel):
    team_id: str
    revision: int
    name: Bilingual
    kind: TeamKind
    takes_kinds: list[Kind]
    takes_urgencies: list[Urgency]
    contact: StaffContact | None
    lead: StaffContact | None
    manager: StaffContact | None
    executive: StaffContact | None
    members: list[StaffContact]

    @classmethod
    def of(cls, team: Team, agents: list[Agent]) -> "TeamOut":
        return cls(
            team_id=team.team_id,
            revision=team.revision,
            name=team.name,
            kind=team.kind,
            takes_kinds=sorted(team.takes_kinds),
            takes_urgencies=sorted(team.takes_urgencies),
            contact=team.contact,
            lead=team.lead,
            manager=team.manager,
            executive=team.executive,
            members=[agent.contact for agent in agents if team.team_id in agent.teams],
        )


class TeamList(BaseModel):
    data: list[TeamOut]


class AgentBody(Body):
    """`skills` are issue types; `product` covers all under it. Off duty: keeps the open cases, gets no new ones."""

    model_config = example(
        {
            "name": "叶晨",
            "email": "ye.chen@example.com",
            "teams": ["engineers"],
            "skills": ["product", "logistics"],
            "languages": ["zh", "en"],
            "on_duty": True,
        }
    )

    name: Label
    email: Email | None = None
    phone: Phone | None = None
    wecom: Account | None = None
    teams: list[TeamId] = Field(max_length=20)
    skills: list[Code] = Field(default_factory=list, max_length=100)
    languages: list[Language] = Field(min_length=1, max_length=10)
    on_duty: StrictBool = True


class AgentOut(BaseModel):
    """`load` is the number of open cases."""

    agent_id: str
    revision: int
    name: str
    email: str | None
    phone: str | None
    wecom: str | None
    teams: list[str]
    skills: list[str]
    languages: list[Language]
    on_duty: bool
    load: int

    @classmethod
    def of(cls, agent: Agent) -> "AgentOut":
        return cls(
            agent_id=agent.agent_id,
            revision=agent.revision,
            name=agent.contact.name,
            email=agent.contact.email,
            phone=agent.contact.phone,
            wecom=agent.contact.wecom,
            teams=sorted(agent.teams),
            skills=sorted(agent.skills),
            languages=sorted(agent.languages),
            on_duty=agent.on_duty,
            load=agent.load,
        )


class AgentList(BaseModel):
    data: list[AgentOut]


@router.get("/v1/teams")
async def list_teams(principal: StaffDep, deps: DepsDep) -> TeamList:
    """Teams, departments and partners with their contacts."""
    teams, agents = await roster.list_teams(deps)
    return TeamList(data=[TeamOut.of(team, agents) for team in teams])


@router.put("/v1/teams/{team_id}", responses=responses(PreconditionFailed))
async def put_team(
    team_id: Annotated[str, Path(pattern=TEAM_ID, max_length=63, examples=["rnd"])],
    body: TeamBody,
    principal: ManagerDep,
    deps: DepsDep,
    response: Response,
    if_match: IfMatch = None,
) -> TeamOut:
    """Add a team or replace it; every service hears of it."""
    team = Team(
        team_id=team_id,
        revision=0,
        name=Bilingual(zh=body.name.zh, en=body.name.en),
        kind=body.kind,
        takes_kinds=frozenset(body.takes_kinds),
        takes_urgencies=frozenset(body.takes_urgencies),
        contact=body.contact.contact() if body.contact else None,
        lead=body.lead.contact() if body.lead else None,
        manager=body.manager.contact() if body.manager else None,
        executive=body.executive.contact() if body.executive else None,
    )
    changed, agents = await roster.put_team(team, if_match, principal.actor, deps)
    response.headers["ETag"] = etag(changed.revision)
    return TeamOut.of(changed, agents)


@router.get("/v1/agents")
async def list_agents(
    principal: StaffDep,
    deps: DepsDep,
    team: TeamId | None = None,
    on_duty: Annotated[bool | None, Query()] = None,
) -> AgentList:
    """Agents with their open load."""
    _, agents = await roster.list_teams(deps)
    shown = [
        AgentOut.of(agent)
        for agent in agents
        if (team is None or team in agent.teams) and (on_duty is None or agent.on_duty == on_duty)
    ]
    return AgentList(data=shown)


@router.put("/v1/agents/{agent_id}", responses=responses(UnknownTeam, PreconditionFailed))
async def put_agent(
    agent_id: Annotated[str, Path(pattern=AGENT_ID, max_length=100, examples=["ye.chen"])],
    body: AgentBody,
    principal: LeadDep,
    deps: DepsDep,
    response: Response,
    if_match: IfMatch = None,
) -> AgentOut:
    """Add an agent or replace the entry. Who comes on duty gets of what waits in the teams' queues."""
    agent = Agent(
        contact=StaffContact(staff_id=agent_id, name=body.name, email=body.email, phone=body.phone, wecom=body.wecom),
        revision=0,
        teams=frozenset(body.teams),
        skills=frozenset(body.skills),
        languages=frozenset(body.languages),
        on_duty=body.on_duty,
    )
    changed = await roster.put_agent(agent, if_match, principal.actor, deps)
    response.headers["ETag"] = etag(changed.revision)
    return AgentOut.of(changed)
