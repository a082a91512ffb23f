"""Language tags as platforms send them: BCP 47, Java's `_`, deprecated codes, and suffixes such as
`.UTF-8`.

A library for all of BCP 47 takes a fifth of a second to import at every cold start. A test checks
these tables against such a library.
"""

import re
from collections.abc import Sequence

from shared.values import frozen

# Deprecated codes that phones still send: Java and Android use `in`, `iw` and `ji`.
# https://www.iana.org/assignments/language-subtag-registry (Preferred-Value); `tl` and `sh` by
# CLDR: https://github.com/unicode-org/cldr/blob/main/common/supplemental/supplementalMetadata.xml
REPLACED = {"in": "id", "iw": "he", "ji": "yi", "jw": "jv", "mo": "ro", "sh": "sr", "tl": "fil"}
_NONE = ("und", "mul", "mis", "zxx")  # undetermined, multiple, uncoded, no linguistic content
# Readers of the first language can read texts in the second one.
_AKIN = {"nb": "no", "nn": "no", "cmn": "zh", "yue": "zh"}
_TRADITIONAL = ("TW", "HK", "MO")
_SEPARATOR = re.compile(r"[-_]")


@frozen
class Language:
    """A parsed tag: `language` such as id or fil, empty if unknown; `script` such as Hant."""

    language: str
    script: str | None = None
    region: str | None = None

    @property
    def akin(self) -> str:
        """The language whose texts readers of this one can also use."""
        return _AKIN.get(self.language, self.language)


def read(tag: str | None) -> Language:
    """Returns the parts of a tag that can be read: `pt-BR`, `in_ID`, `zh_Hant_HK`,
    `en_US.UTF-8`.
    """
    language, *rest = _SEPARATOR.split(re.split(r"[.@]", tag or "")[0])
    language = language.lower()
    if not re.fullmatch(r"[a-z]{2,3}", language) or language in _NONE:
        return Language("")
    if (
        language == "zh" and rest and rest[0].lower() in ("cmn", "yue")
    ):  # an extended language subtag
        language, *rest = rest[0].lower(), *rest[1:]
    script = next((one.title() for one in rest[:1] if re.fullmatch(r"[A-Za-z]{4}", one)), None)
    regions = (one.upper() for one in rest[:2] if re.fullmatch(r"[A-Za-z]{2}|[0-9]{3}", one))
    region = next(regions, None)
    known = REPLACED.get(language, language)
    return Language(known, script or _script(known, region), region)


def _script(language: str, region: str | None) -> str | None:
    """Returns the default script. Only Chinese, which is written in two scripts, has one here."""
    if language == "yue":
        return "Hant"
    if language in ("zh", "cmn"):
        return "Hant" if region in _TRADITIONAL else "Hans"
    return None


def language_of(tag: str | None) -> str:
    """Returns the current code of the language: `pt` for pt-BR, `id` for in_ID, `fil` for
    fil-PH.
    """
    return read(tag).language


def best_of(wanted: str | None, offered: Sequence[str]) -> str | None:
    """Returns the offered tag that fits a reader best, or None if none has their language.

    The script counts most, then the region. A tag without a region is better than one of another
    region. Of equal tags the first is returned.
    """
    reader = read(wanted)
    fitting = [one for one in offered if reader.language and read(one).akin == reader.akin]
    return max(fitting, key=lambda one: _fit(reader, read(one)), default=None)


def _fit(reader: Language, offered: Language) -> tuple[bool, int, bool]:
    region = 2 if offered.region == reader.region else int(offered.region is None)
    return offered.script == reader.script, region, offered.language == reader.language
