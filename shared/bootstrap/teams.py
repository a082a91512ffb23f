"""The kinds of team targets in one list; those with a setting are notified."""

from shared.schemas.team import Target, Team, Url
from shared.settings.model import Settings


def team(settings: Settings) -> Team:
    """Returns the targets that the settings name; only these are imported."""
    targets: list[Target] = []
    if settings.slack_webhook_url:
        from shared.teams.slack import Slack

        targets.append(Slack(Url(settings.slack_webhook_url)))
    if settings.google_chat_webhook_url:
        from shared.teams.google_chat import GoogleChat

        targets.append(GoogleChat(Url(settings.google_chat_webhook_url)))
    if settings.team_webhook_url and settings.team_webhook_secret:
        from shared.teams.team_webhook import TeamWebhook

        targets.append(TeamWebhook(Url(settings.team_webhook_url), settings.team_webhook_secret))
    return Team(targets, settings.baton_console_url)
