"""The one place that decides what a principal may see. Every list and every single answer asks here.

Now everybody who is signed in sees the cases of all teams (G3).
"""

from shared.web.principal import Principal, Role

#: Roles to whom contacts are shown whole (A6); everybody else gets the masked display.
SEES_CONTACTS = (Role.AGENT, Role.LEAD, Role.MANAGER)


def visible_teams(principal: Principal) -> frozenset[str] | None:
    """The ids of the teams whose cases are shown; None is all of them."""
    return None


def may_see_team(principal: Principal, team_id: str | None) -> bool:
    teams = visible_teams(principal)
    return teams is None or team_id in teams


def may_see_contacts(principal: Principal) -> bool:
    return principal.has(*SEES_CONTACTS)
