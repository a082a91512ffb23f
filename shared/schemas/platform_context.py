"""Where at a platform a conversation takes place, as the platform's webhooks say."""

from typing import Self

from shared.schemas.base import Stored


class PlatformContext(Stored):
    """The account and the channel of a conversation at its platform. Each field has the latest
    value that an event named.

    - `label`: the platform's title of the conversation, mostly the customer's name.
    - `channel_*`: the channel through which the customer writes; `channel_engine` is its kind.
    - `business_*`: the business that has the account. `user_*`: the account's user.
    - `sender_name`: who sent the latest message.

    https://docs.csku.ai/webhooks/configuration
    """

    label: str | None = None
    channel_id: str | None = None
    channel_name: str | None = None
    channel_engine: str | None = None
    business_id: str | None = None
    business_name: str | None = None
    user_id: str | None = None
    user_name: str | None = None
    sender_name: str | None = None

    def with_news(self, news: Self) -> Self:
        """Returns the context with what another event says of it; itself where that is no news."""
        if news == self:
            return self
        return self.model_copy(update=news.model_dump(exclude_none=True))
