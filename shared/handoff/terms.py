"""The words of the tables: what they ask of an event and its conversation, and what follows.

A guard is asked of a conversation and an event before a cell decides. A condition is asked by the
rules before and after a step: of the event, of the step, and of what it has made of the
conversation so far.
"""

from enum import StrEnum


class Guard(StrEnum):
    ALWAYS = "otherwise"
    ECHO = "reported by a linked desk"
    REQUEST = "a request"
    UNDELIVERED = "a request, on a conversation that Baton only tracks"
    OVERTAKEN = "because of words from before a human came"
    TOO_LATE = "a request, when the channel's window is closed"
    GONE = "a request, and the customer's number is another customer's now"
    NO_TEMPLATES = "a request for a template, and the customer's channel has none"
    UNREACHABLE = "a request, when the channel's window is closed and no template opens it"
    MANY_WAIT = "a request, when as many messages as may wait for the customer to write"
    UNWANTED = "a request, and the customer has unsubscribed"
    UNSUBSCRIBED = "the customer has unsubscribed"
    TURN_REFUSED = "a request, and the bot has had its turns with no human in between"
    OUT_OF_TURNS = "the bot has had its turns with no human in between"
    STALE = "a fact older than the one that set who speaks"
    HEARD = "only heard, because another sender is active at the platform"
    HEARD_CLOSED = "only heard, no desk is open, and its customers do not wait"
    HEARD_BEFORE = "the desk heard it before, and it comes to Baton now"
    HEARD_BEFORE_ASSISTED = (
        "the desk heard it before, it comes to Baton now, and the desk's own assistant answers or "
        "the customer was passed on"
    )
    HEARD_BEFORE_UNASKED = (
        "the desk heard it before, it comes to Baton now, and the bot does not ask for reactions"
    )
    NOT_ACTIVE_REFUSED = "a request, and another sender is active at the platform"
    NOT_ACTIVE = "another sender is active at the platform"
    FLOOR_LATE = "older than the platform's latest word, which says otherwise"
    FLOOR_LOST = "another sender has become active"
    FLOOR_ONLY = "the customer needs no human"
    PRESENT = "this representative is present"
    MAY_REACT = "this representative is present, and the channel shows reactions now"
    HOLDER = "the key that claimed it, under the same name"
    FOREIGN = "another key's representative"
    LAST_ONE = "the last one present"
    APP_ONLY = "only a person in the channel's own app is present"
    APP_ONLY_FULL = (
        "only a person in the channel's own app is present, and the person has no room for it"
    )
    REQUEST_ABSENT = "a request about a human who is absent"
    ABSENT = "about a human who is absent"
    DESK_DONE = "the desk needs no human, and only its own are present"
    DESK_OUT = "the desk needs no human, and others stay"
    OUTLIVED = "a fact older than their latest joining"
    OVER = "a desk's conversation is over here, and only its own people are present"
    OVER_OUT = "a desk's conversation is over here, and others than its people stay"
    UNLINKED_CHAT = "the chat that has the handoff"
    THREAD_OVER = "in a room or thread whose handoff is over"
    UNCLAIMED = "in a room or thread whose people must claim first, and who writes has not"
    ALL_WAITS = "all of it still waits for the customer"
    ASSISTANT = "from the assistant in the chat that has the handoff"
    ASSISTED = "the desk's own assistant answers"
    ASSISTED_ENDS = "with it ends the chat in which the desk's own assistant answered"
    MAY_KEEP_WAITING = "the desk is full, and offers that the customer keeps waiting in its chat"
    PAST = "from a desk's chat whose handoff is over"
    PAST_PRESENT = "from such a chat, by the name of a human who is present"
    ANOTHERS = "from a desk that does not have this handoff"
    KEPT = "a desk still has the handoff"
    UNNEEDED = "a chat for this customer that no handoff waits for"
    AWAITED = "a chat that may be the one that is waited for"
    THIS_HANDOFF = "for the handoff under way"
    BOT_HEARS = "the bot asks for reactions"
    BOT_HEARD = "the bot heard the earlier message"
    DESK_HEARD = "the desk heard the earlier message"
    ASKS_PLACE = "they ask for their place in line"
    CLOSED = "no desk is open, and its customers do not wait"
    CLOSED_MEANWHILE = "the desk has closed since, and its customers wait"
    CLOSED_STILL = "the desk is closed"
    NO_SURVEYS = "the customer's channel has no surveys"
    SURVEYED = "the customer was sent a survey within a day"
    BY_BOT = "a bot's"
    AWAITS_OPENING = "the desk is closed, and its customers wait"
    ANOTHER_OPEN = "the desk is closed, and another is open that takes this handoff"
    OPENING = "the desk opens"
    OPENING_KNOWN = "the desk that already has the handoff opens"
    AGENT_FAILED = "it tells of a failure, and the team gets to know"
    OUTDATED = "the timer was started again or stopped since"
    PASSED_ON = "the customer was passed on"
    PASSING_ON = "a request, and the customer was passed on"
    ASKS_BACK = (
        "their words ask for the assistant, and are not older than the human's joining or the wait"
    )
    ANSWERS_SURVEY = "they answer the survey that waits for it"
    OLD_SURVEY = "a button of a survey that is over"
    MOVED = "it names others than those who are present"
    UNNAMED = "it does not name those who are present"
    STRANGER = "of somebody who is absent, and no supervisor"
    OTHERS_HERE = "others are present too, and it is no supervisor's"
    TO_PRESENT = "to a person who is present"
    OFFERED_ALREADY = "to the person to whom it is offered already"
    NOT_AVAILABLE = "to a person who is not available"
    FULL = "a request, and the person has no room for it"
    TO_AGENT = "to a person"
    DESK_CLOSED = "to a desk that is closed, and whose customers do not wait"
    SAME_DESK = "to the desk where they wait"
    ALONE = "they alone are present"
    OFFERED_TO_THEM = "of the person to whom it is offered"
    OFFER_OVER = "the offer that it names does not stand"
    OFFER_FOREIGN = "the offer that it names is another's"
    OFFERED_SLOT = "about the person to whom it is offered"
    TRIED = "an offer stands, or this person was asked before, or has no room now"
    LAST_ONE_OFFERED = "the last one present, and an offer stands"
    OVER_OFFERED = (
        "a desk's conversation is over here, only its own people are present, and an offer stands"
    )
    DESK_DONE_OFFERED = "the desk needs no human, only its own are present, and an offer stands"
    OTHERS_STAY = "others stay"
    TO_BOT = "the customer goes to the bot (setting HUMAN_IDLE, and no offer stands)"
    RETURNABLE = (
        "no human of the desk to which they were passed on takes them, and the one where they came "
        "from is open"
    )
    ENDED = "nothing waits any more for what it is about"
    FIRST = "the first time"
    EXHAUSTED = "after the last reminder"


class Condition(StrEnum):
    ALWAYS = "always"
    UNDATED = "the event names no time, or a time that is still to come"
    FLOOR_HEARD = "the event says who is active at the platform of one of the customer's channels"
    FLOOR_LOST = (
        "a human is here, and with what was heard another sender has become active on the channel "
        "in use"
    )
    FLOOR_WANTED = (
        "the step has JOINED, a human's message that is not shown yet and does not wait, or a "
        "survey, or a human's message waited for this, and Baton is not active at the platform; or "
        "it has a bot's message that does not wait, and no sender is active there"
    )
    CUSTOMER_BACK = (
        "the customer did something on one of their own channels, messages wait for it or a "
        "template has asked for it, and the channel in use may be written to now"
    )
    HELD = (
        "with the step a message waits for the customer, no template has asked them to write, and "
        "no other sender is active"
    )
    HUMAN_WAITS = "the message of a human who is here waits for the customer"
    HUMAN_WAITED = "the messages of those who are here waited for the customer, and none waits now"
    FLOOR_UNUSED = (
        "the step is not stale, it changed the phase from HUMAN to BOT, no bot speaks with it, and "
        "by the settings another sender answers next"
    )
    CUSTOMER_WRITES = "the customer wrote, or asked for a human, on one of their own channels"
    FROM_CUSTOMER = "what the customer said, also as a desk reports it"
    CONTEXT_HEARD = "the event says where at its platform it took place"
    CUSTOMER_ACTS = "the customer did something on one of their own channels"
    LEFT_UNSEEN = (
        "the channel in use has not shown that humans left, its window is open, and Baton is active"
    )
    JOINING = "the step has JOINED"
    STALE = "the step is stale"
    BOT_SPEAKS = "the step is not stale, and the phase is BOT now"
    BOT_WITHOUT_DESK = "the step is not stale, the phase is BOT now, and no desk has the handoff"
    BOT_AGAIN_DESK_STAYS = (
        "the step is not stale, it changed the phase to BOT, and a desk still has the handoff"
    )
    BOT_AGAIN = "the step is not stale, and it changed the phase to BOT"
    HUMAN_ACTIVE = "the step is not stale, it has JOINED or a human's message, and a human is here"
    ANSWERED = (
        "the team wants to know, the step is not stale, and it is the first of this handoff that "
        "has a human's message for the customer"
    )
    FACT_SETS_SPEAKER = (
        "a fact, the step is not stale, and it has JOINED, LEFT or a message of a human or a bot"
    )
    OFFER_POINTLESS = (
        "an offer stands, and the phase is BOT, has become HUMAN, or the person is present"
    )
    DESK_LOOKS_ON = (
        "a room or thread has the handoff, and who is present, or whether anybody is, has changed"
    )
    SLOTS_OVER = "somebody who had a slot is not present any more"
    WAIT_OVER = "the step changed the phase from QUEUED"
    SURVEY_OVER = (
        "a survey waits for an answer in words, and the step has a bot's message or anything else "
        "that the customer said, or the phase is not BOT now"
    )
    OWED_CLOSED = (
        "an answer is owed about a closed desk, the channel's window is open now, Baton is active "
        "there, the desk is still closed, and no human is here"
    )
    OWED_NOBODY = (
        "an answer is owed, the channel's window is open now, Baton is active there, and the phase "
        "is BOT"
    )
    OWED_PASSED_ON = (
        "the customer is owed that they were passed on, the channel's window is open now, Baton is "
        "active there, and they still wait"
    )
    OWED = "an answer is owed, the channel's window is open now, and Baton is active there"
    HUMAN_TIME_BEGINS = (
        "the step is accepted, not only tracked, and changed the phase to HUMAN; the customer was "
        "not passed on"
    )
    HUMAN_TIME = (
        "the step is accepted, not only tracked, and the phase is or was HUMAN, or the customer is "
        "or was passed on"
    )
    HUMAN_TIME_ENDS = (
        "the step is accepted, not only tracked, and changed the phase to BOT from HUMAN, or from "
        "where the customer was passed on"
    )
    FILES_TO_KEEP = "the customer's message has files, it is no echo, and files are kept"
    MEASURED = "the step is accepted or suppressed, or it has a human's message"


class Effect(StrEnum):
    DATE_EVENT = "date the event now"
    COUNT_VERSION = "count the conversation's version"
    NOTE_FLOOR = "note who is active at the platform"
    TAKE_FLOOR = "take control at the platform"
    GIVE_FLOOR = "give control back at the platform"
    FOLLOW_CUSTOMER = "speak to the customer on the channel where they wrote last"
    NOTE_CUSTOMER = "note the customer's language and name"
    NOTE_CONTEXT = (
        "note where at its platform the conversation is, and its label as the name of a customer "
        "whose name is not known"
    )
    NOTE_CONTACT = "note when and where the customer wrote last, and that bots may speak"
    FORGET_LINES = "no longer wait for the lines that are empty"
    LEAVE_LATE = "LEFT for those humans"
    KEEP_FILES = "copy the message's files to where they are kept"
    TELL_BOT = "publish for the bot what the customer did"
    TELL_BOTH = "publish for bot and desk what the customer did"
    TELL_DESK = "publish for the desk what the customer did"
    QUEUE = "note the request, start the unclaimed timer"
    REMIND = "set the next reminder"
    MOVE_REQUEST = "give the request to the desk that is open, start the unclaimed timer"
    WAIT_FOR_OPENING = "start the timer for the opening"
    NOTE_ASSISTANT = "note that the desk's assistant answers, start the unclaimed timer again"
    CALL_DESK = "release a desk that has an earlier handoff, call the desk, if it must be called"
    CORRECT_REPLY = (
        "hide the words from those who may not read the earlier ones, and replace the variable "
        "that has them"
    )
    SHOW_STANDING = "show in the room or thread who has the customer"
    KEEP_WAITING = "ask the desk to let the customer keep waiting"
    HINT_CLAIM = "say in the room or thread that the customer has not got it, and to claim first"
    HINT_OVER = "say in the room or thread that the customer has not got it, because it is over"
    HINT_DELETED = "say in the room or thread that the customer still has what was deleted"
    RELAY = "pass it on to the desk that was called"
    CLOSE_DESK = "release the desk that was called, unless its own people are present"
    REQUEUE = (
        "let the customer wait again in their place, at the desk that is asked for, and no bot "
        "speak; start the unclaimed timer; note who was here as asked"
    )
    NEW_ROUND = "forget who was asked, look for a person at once, where Baton offers customers"
    LOOK = "look for a person at once, where Baton offers customers and no offer stands"
    FORGET_TRIED = "forget who was asked"
    STOP_LOOKING = "look for no person"
    OFFER = "offer it to the person, take a slot of theirs, start the time to accept"
    END_OFFER = (
        "end the offer, if one stands; note the person as asked, unless it was withdrawn or "
        "replaced; free the slot"
    )
    FREE_SLOTS = "free their slots"
    ASK_SURVEY = (
        "ask how satisfied the customer is, if the settings say so, a human has spoken in this "
        "handoff, and the customer may be written to and was not asked in it"
    )
    COUNT_SURVEY = "count the answer, end the survey"
    SURVEY_BY_BUTTON = "take no digits for an answer to the survey any more"
    TAKE_CHAT = "note that this chat has the handoff, end the others made for it"
    KEEP_CHAT = "note that its handoff is over, end the chat"
    NOTE_CHAT = "note the chat"
    END_CHAT = "end that chat"
    JOIN = "JOINED, with a slot of the person's room, or the one of the offer to them"
    MESSAGE = "message, HUMAN (where a template can open the closed window, it waits)"
    LEAVE = "LEFT"
    LEAVE_DESK = "LEFT for that desk's humans"
    STAY = "note that they are still here"
    LEAVE_ALL = "LEFT for everyone"
    LEAVE_GIVERS = "LEFT for those whom the offer replaces"
    LEAVE_OTHERS = "LEFT for everyone else"
    LEAVE_GONE = "LEFT for the person who is gone"
    BOT_MESSAGE = "message, BOT (where a template can open the closed window, it waits)"
    SEND_SURVEY = "survey"
    REACT = "reaction to the customer's message, HUMAN"
    REOPEN = "the template that asks the customer to write"
    RELEASE = "the messages that waited, in order, each human's in their frame"
    TAKE_BACK = "do not send those of the words that wait for the customer"
    END_WAITING = (
        "end the messages that wait, if it is about them or their template, notify delivery.failed "
        "of each"
    )
    COUNT_TURN = "count the bot's turn, notify bot.silenced of the last one"
    NOTE_LOOP = "note that robots answer each other"
    NOTIFY_REQUESTED = "notify handoff.requested"
    NOTIFY_JOINED = "notify handoff.joined"
    NOTE_ADDRESS = "note the customer's address"
    NOTIFY_ENDED = "notify handoff.ended"
    NOTIFY_TRANSFERRED = "notify handoff.transferred"
    NOTIFY_RETURNED = "notify handoff.returned"
    NOTIFY_UNCLAIMED = "notify handoff.unclaimed"
    NOTIFY_FAILED = "notify handoff.failed"
    NOTIFY_CLOSED = "notify handoff.failed (of each desk once until it opens)"
    NOTIFY_FLOOR_LOST = "notify handoff.floor_lost"
    NOTIFY_SHUT = "notify handoff.failed (the desk has closed)"
    NOTIFY_ASSISTED = "notify handoff.failed (its assistant had answered)"
    KEEP_SESSION = "keep what it says of the virtual agent's session"
    PUBLISH_SESSION = "publish that the virtual agent joined or left"
    NOTIFY_AGENT_FAILED = "notify virtual_agent.failed"
    KEEP_VARIABLES = "keep, as each audience may see them"
    PUBLISH_VARIABLES = "publish what the event audience may see"
    COMMENT_VARIABLES = "comment what the CRM record may show"
    CAPTURE_REPLY = "capture the words that were waited for"
    NOTIFY_UNDELIVERED = "notify delivery.failed"
    TELL_SENDER = "publish for the bot or desk that sent the message"
    FORGET_JOINED = "note that the customer was not shown this human's JOINED, if it is about that"
    REPLACE_APP = "remove the person in the channel's own app, without LEFT"
    UNSUBSCRIBE = "note that bots may not speak"
    SUBSCRIBE = "note that bots may speak"
    SAY_CLOSED = "tell the customer, if the desk is closed: when it opens"
    SAY_SHUT = "tell the customer: the desk is closed, and when to ask again"
    SAY_PASSED_ON = "tell the customer: a colleague goes on, or when the desk opens"
    SAY_WAITING = "tell the customer: still in line"
    SAY_NOBODY = "tell the customer: no human is available"
    SAY_THANKS = "tell the customer: thanks"
    SAY_PLACE = "tell the customer: their place in line"
    SAY_OPENING = "tell the customer, if they wait for it: when the desk opens"
    SAY_RETURNED = "tell the customer: the human is gone, back with the bot"
    SAY_RESUMED = "tell the customer: back with the bot"
    SAY_OWED_CLOSED = "tell the customer: when the desk opens"
    FORGET_OWED = "note that no answer is owed"
    NOTE_JOINING = "note the version with which a human joined"
    KEEP_FIRST_RESPONSE = "keep the time of the first response as it was"
    END_HUMAN_TIME = "note that no human is here"
    STOP_TIMER = "stop the timer"
    START_CHAT_TIMER = "start the timer of the desk's chat"
    END_REQUEST = "note that the request is over, and that no human has answered"
    START_HUMAN_TIME = "note since when a human is here"
    START_IDLE_TIMER = "start the idle timer"
    END_BOT_RUN = "count the bot's turns from the beginning"
    NOTE_ANSWERED = "note that a human has answered"
    NOTIFY_ANSWERED = "notify handoff.answered"
    NOTE_SPEAKER = "note when the latest fact set who speaks"
    BEGIN_RECALL = "keep what is said from now on for the bot, drop what was kept or awaited before"
    NOTE_WORDS = "keep the words for the bot"
    HAND_BACK = "hand the words to the bot, with its next publication"
    MEASURE = "record what the reports count"
