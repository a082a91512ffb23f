"""The built-in bots in one list; BATON_BOT chooses."""

from shared.bots.acknowledge import ACKNOWLEDGEMENT
from shared.bots.run_bot import Assistant
from shared.settings.model import Settings


def assistant(settings: Settings) -> Assistant:
    """Returns the assistant that answers, if any. Without an agent of Dialogflow it is the bot that
    acknowledges.
    """
    if settings.baton_bot == "none":
        return Assistant()
    if (
        settings.baton_bot != "dialogflow"
        or settings.dialogflow_agent is None
        or settings.dialogflow_api_url is None
    ):
        return Assistant(reply=ACKNOWLEDGEMENT)
    from shared.bots.dialogflow import SCOPE, Dialogflow

    bot = Dialogflow(
        settings.dialogflow_agent,
        settings.dialogflow_api_url,
        f"google:{SCOPE}" if settings.dialogflow_auth == "google" else settings.dialogflow_auth,
        settings.dialogflow_languages,
        settings.dialogflow_timeout,
    )
    return Assistant(bot, escalates=settings.dialogflow_on_failure == "escalate")
