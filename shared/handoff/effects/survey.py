"""Baton's own survey: asked where a handoff ends, answered by a button, or by a digit while nothing
else was said.
"""

from shared.handoff.draft import Draft, expect
from shared.handoff.effects.speech import say_with
from shared.handoff.notices import Notice
from shared.handoff.survey_answers import ANSWERS, LASTS, answer_of, button
from shared.schemas.content import Content, Suggestion, Tap
from shared.schemas.conversation import Survey
from shared.schemas.events import FromUser


def ask(draft: Draft) -> None:
    """The answer counts for the human who left last. Nothing is asked where another sender answers
    what the customer says next.
    """
    known, progress = draft.conversation, draft.conversation.progress
    handoff = progress.handoff if progress else None
    is_due = draft.policy.survey and handoff is not None and handoff.spoke and not handoff.surveyed
    others_turn = draft.capabilities.floor and draft.is_off(draft.policy.floor_given_back)
    may_ask = draft.has_floor and not (draft.outside_window or known.tracked or others_turn)
    is_silenced = known.unsubscribed_at is not None or draft.is_off(draft.policy.notices_off)
    if known.humans or not (is_due and may_ask) or is_silenced:
        return
    id = draft.derived_id("survey")
    taps = (Tap(text=one, postback_data=button(id, one)) for one in ANSWERS)
    said = Content(
        text=draft.text(Notice.SURVEY), suggestions=tuple(Suggestion(reply=one) for one in taps)
    )
    say_with(draft, said)
    draft.change(
        survey=Survey(
            id=id,
            agent=draft.gone[-1].representative.name if draft.gone else "",
            desk=(known.request.desk if known.request else None) or "",
            channel=known.platform,
            asked_at=draft.now,
            until=draft.now + LASTS,
        )
    )


def count(draft: Draft) -> None:
    draft.rated = answer_of(expect(draft.event, FromUser))
    draft.change(survey=None)


def by_button(draft: Draft) -> None:
    survey = draft.conversation.survey
    if survey is not None:
        draft.change(survey=survey.model_copy(update={"words": False}))
