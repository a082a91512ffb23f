"""Languages as platforms write them: BCP 47 tags, with Java's `_`, old codes, and what stands
behind.

A library that knows all of BCP 47 takes a fifth of a second to import, at every start of a
function; a test holds these few rules against one.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

# Codes that were replaced, which phones still send: Java and Android say `in`, `iw` and `ji`.
# https://www.iana.org/assignments/language-subtag-registry (Preferred-Value); `tl` and `sh` by
# CLDR: https://github.com/unicode-org/cldr/blob/main/common/supplemental/supplementalMetadata.xml
REPLACED = {"in": "id", "iw": "he", "ji": "yi", "jw": "jv", "mo": "ro", "sh": "sr", "tl": "fil"}
_NONE = ("und", "mul", "mis", "zxx")  # not known, several, no code, no language
# Whose readers read the other language where theirs is not to be had.
_AKIN = {"nb": "no", "nn": "no", "cmn": "zh", "yue": "zh"}
_TRADITIONAL = ("TW", "HK", "MO")
_SEPARATOR = re.compile(r"[-_]")


@dataclass(frozen=True, slots=True)
class Language:
    """What a tag says: `language` like id or fil, empty where it says none; `script` like Hant."""

    language: str
    script: str | None = None
    region: str | None = None

    @property
    def akin(self) -> str:
        return _AKIN.get(self.language, self.language)


def read(tag: str | None) -> Language:
    """Returns what a tag says, as far as it is one: `pt-BR`, `in_ID`, `zh_Hant_HK`,
    `en_US.UTF-8`.
    """
    language, *rest = _SEPARATOR.split(re.split(r"[.@]", tag or "")[0])
    language = language.lower()
    if not re.fullmatch(r"[a-z]{2,3}", language) or language in _NONE:
        return Language("")
    if language == "zh" and rest and rest[0].lower() in ("cmn", "yue"):  # as an extended language
        language, *rest = rest[0].lower(), *rest[1:]
    script = next((one.title() for one in rest[:1] if re.fullmatch(r"[A-Za-z]{4}", one)), None)
    regions = (one.upper() for one in rest[:2] if re.fullmatch(r"[A-Za-z]{2}|[0-9]{3}", one))
    region = next(regions, None)
    known = REPLACED.get(language, language)
    return Language(known, script or _script(known, region), region)


def _script(language: str, region: str | None) -> str | None:
    """Returns the script that goes without saying: Chinese is written in two."""
    if language == "yue":
        return "Hant"
    if language in ("zh", "cmn"):
        return "Hant" if region in _TRADITIONAL else "Hans"
    return None


def language_of(tag: str | None) -> str:
    """Returns the language alone, by its code of today: `pt` of pt-BR, `id` of in_ID, `fil` of
    fil-PH.
    """
    return read(tag).language


def best_of(wanted: str | None, offered: Sequence[str]) -> str | None:
    """Returns the tag that fits a reader best, None where none is of their language.

    The script counts most, then the region; one without a region fits better than another region's.
    Of equals the first one is taken.
    """
    reader = read(wanted)
    fitting = [one for one in offered if reader.language and read(one).akin == reader.akin]
    return max(fitting, key=lambda one: _fit(reader, read(one)), default=None)


def _fit(reader: Language, offered: Language) -> tuple[bool, int, bool]:
    region = 2 if offered.region == reader.region else int(offered.region is None)
    return offered.script == reader.script, region, offered.language == reader.language
