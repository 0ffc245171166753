"""Who is given a complaint (B5): the team by kind and urgency, in it the agent by skill, language and load."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from shared.contracts.envelope import Bilingual
from shared.contracts.triage import Reason
from shared.contracts.vocabulary import Kind, Language, Urgency
from triage_service.domain.roster import Agent, Team

URGENCY_NAMES: Mapping[Urgency, Bilingual] = {
    Urgency.HIGH: Bilingual(zh="高", en="high"),
    Urgency.MEDIUM: Bilingual(zh="中", en="medium"),
    Urgency.LOW: Bilingual(zh="低", en="low"),
}
KIND_NAMES: Mapping[Kind, Bilingual] = {
    Kind.ENQUIRY: Bilingual(zh="咨询", en="enquiries"),
    Kind.AFTER_SALES: Bilingual(zh="售后", en="after-sales requests"),
    Kind.COMPLAINT: Bilingual(zh="投诉", en="complaints"),
    Kind.SUGGESTION: Bilingual(zh="建议", en="suggestions"),
}


def _reason(rule: str, zh: str, en: str) -> Reason:
    return Reason(rule=rule, weight=1.0, text=Bilingual(zh=zh, en=en))


EARLIER_AGENT = _reason("earlier-agent", "该客户此前由同一人员处理", "Handled the same customer before")
SKILL = _reason("skill", "具备此类问题的技能", "Has the skill for this issue type")
LANGUAGE = _reason("language", "会客户的语言", "Speaks the customer's language")
LEAST_LOAD = _reason("least-load", "同等条件下在手工单最少", "Has the fewest open cases among equals")
NOBODY_ON_DUTY = _reason(
    "nobody-on-duty", "组内暂无值班人员，留在组队列", "Nobody of the team is on duty; its queue holds it"
)
FALLBACK_TEAM = _reason(
    "fallback-team", "没有小组承接此类投诉，交默认小组", "No team takes such complaints; given to the default one"
)
BY_HAND = _reason("by-hand", "人工指派", "Assigned by hand")


class Balance:
    """The roster as one unit of work sees it. `choose` counts what it gives away, so a batch is balanced in itself.

    Order of preference within the team, among those on duty: the customer's earlier agent; the nearest skill; the
    language; the least open load; the id.
    """

    def __init__(self, teams: Iterable[Team], agents: Iterable[Agent]) -> None:
        self.teams = {team.team_id: team for team in sorted(teams, key=lambda team: team.team_id)}
        self.agents = {agent.agent_id: agent for agent in sorted(agents, key=lambda agent: agent.agent_id)}
        self._of_kind: dict[Kind, Team] = {}
        self._of_urgency: dict[Urgency, Team] = {}
        self._members: dict[str, list[str]] = {}
        for team in self.teams.values():
            for kind in team.takes_kinds:
                self._of_kind.setdefault(kind, team)
            for urgency in team.takes_urgencies:
                self._of_urgency.setdefault(urgency, team)
        for agent in self.agents.values():
            for team_id in agent.teams if agent.on_duty else ():
                self._members.setdefault(team_id, []).append(agent.agent_id)

    def team_for(self, kind: Kind, urgency: Urgency) -> tuple[Team, Reason] | None:
        """None only where there is no team at all."""
        if kind in self._of_kind:
            team, name = self._of_kind[kind], KIND_NAMES[kind]
            return team, _reason("team-of-kind", f"{name.zh}由{team.name.zh}承接", f"{team.name.en} takes {name.en}")
        if urgency in self._of_urgency:
            team, label = self._of_urgency[urgency], URGENCY_NAMES[urgency]
            zh = f"紧急程度{label.zh}由{team.name.zh}承接"
            return team, _reason("team-of-urgency", zh, f"{team.name.en} takes {label.en} urgency")
        takers = [*self._of_urgency.values(), *self.teams.values()]
        return (takers[0], FALLBACK_TEAM) if takers else None

    def choose(
        self, team: Team, issue_type: str, language: Language, earlier_agent: str | None = None
    ) -> tuple[Agent | None, tuple[Reason, ...]]:
        """The agent, with one more open case than before, and why; None where nobody of the team is on duty."""
        members = self._members.get(team.team_id)
        if not members:
            return None, (NOBODY_ON_DUTY,)

        def rank(agent: Agent) -> tuple[bool, int, bool, int, str]:
            return (
                agent.agent_id != earlier_agent,
                -_skill(agent, issue_type),
                language not in agent.languages,
                agent.load,
                agent.agent_id,
            )

        best = min((self.agents[member] for member in members), key=rank)
        given = (
            (EARLIER_AGENT, best.agent_id == earlier_agent),
            (SKILL, _skill(best, issue_type) > 0),
            (LANGUAGE, language in best.languages),
            (LEAST_LOAD, best.agent_id != earlier_agent),
        )
        return self.give(best), tuple(reason for reason, holds in given if holds)

    def give(self, agent: Agent, cases: int = 1) -> Agent:
        """Count `cases` more for the agent (fewer where negative)."""
        changed = replace(agent, load=max(0, agent.load + cases))
        self.agents[agent.agent_id] = changed
        return changed


def _skill(agent: Agent, issue_type: str) -> int:
    """How near the nearest skill is: the depth of its code in the issue tree, 0 where there is none."""
    parts = issue_type.split(".")
    for depth in range(len(parts), 0, -1):
        if ".".join(parts[:depth]) in agent.skills:
            return depth
    return 0
