"""README shows the tag of the bridge as it is: with another hash no browser would run the
script.
"""

import re

from infra.bridge_tag import SCRIPT, integrity, version
from infra.deployables import ROOT

README = (ROOT / "functions" / "forward_variables" / "README.md").read_text()


def test_the_tag_has_the_hash_and_the_version_of_the_script() -> None:
    script = SCRIPT.read_bytes()
    assert set(re.findall(r'integrity="([^"]+)"', README)) == {integrity(script)}
    assert set(re.findall(r"bridge\.js\?v=([0-9a-f]+)", README)) == {version(script)}
