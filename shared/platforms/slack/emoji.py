"""The emoji of Slack's names for reactions: events have the name alone.

Slack takes its names from https://github.com/iamcal/emoji-data. Here are those that people react
with; a workspace's own pictures are no characters.
"""

from collections.abc import Mapping

_TONE = "::skin-tone-"  # stands between a name and the number of a skin tone, 2 to 6
_TONES = {str(number): chr(0x1F3FB + number - 2) for number in range(2, 7)}
_EMOJI: Mapping[str, str] = {
    "+1": "👍", "thumbsup": "👍", "-1": "👎", "thumbsdown": "👎", "ok_hand": "👌", "wave": "👋",
    "clap": "👏", "pray": "🙏", "muscle": "💪", "raised_hands": "🙌", "handshake": "🤝",
    "point_up": "☝️", "point_right": "👉", "point_left": "👈", "v": "✌️", "heart": "❤️",
    "orange_heart": "🧡", "yellow_heart": "💛", "green_heart": "💚", "blue_heart": "💙",
    "purple_heart": "💜", "black_heart": "🖤", "white_heart": "🤍", "broken_heart": "💔",
    "two_hearts": "💕", "sparkling_heart": "💖", "white_check_mark": "✅", "heavy_check_mark": "✔️",
    "ballot_box_with_check": "☑️", "x": "❌", "question": "❓", "exclamation": "❗",
    "warning": "⚠️", "eyes": "👀", "tada": "🎉", "fire": "🔥", "rocket": "🚀", "100": "💯",
    "star": "⭐", "sparkles": "✨", "bulb": "💡", "hourglass": "⌛", "gift": "🎁", "coffee": "☕",
    "grinning": "😀", "smiley": "😃", "smile": "😄", "grin": "😁", "laughing": "😆",
    "satisfied": "😆", "sweat_smile": "😅", "joy": "😂", "rolling_on_the_floor_laughing": "🤣",
    "slightly_smiling_face": "🙂", "upside_down_face": "🙃", "wink": "😉", "blush": "😊",
    "relaxed": "☺️", "heart_eyes": "😍", "kissing_heart": "😘", "hugging_face": "🤗",
    "thinking_face": "🤔", "face_with_rolling_eyes": "🙄", "sunglasses": "😎",
    "partying_face": "🥳", "exploding_head": "🤯", "open_mouth": "😮", "astonished": "😲",
    "relieved": "😌", "sleeping": "😴", "confused": "😕", "worried": "😟", "disappointed": "😞",
    "slightly_frowning_face": "🙁", "cry": "😢", "sob": "😭", "sweat": "😓", "angry": "😠",
    "rage": "😡",
}  # fmt: skip


def emoji_of(name: object) -> str | None:
    """Returns the emoji of a reaction, None where it is not known."""
    base, _, tone = name.partition(_TONE) if isinstance(name, str) else ("", "", "")
    emoji = _EMOJI.get(base)
    return emoji and emoji + _TONES.get(tone, "")
