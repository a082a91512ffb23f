"""`make demo-data`: a week through the real use cases, marked, and removed by the same command."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from infra.local import demo_data, settings
from shared.bootstrap.root import Baton
from shared.errors import BadRequest
from shared.measures.counts import Count
from shared.reports.figures import figures
from shared.settings.model import read_settings
from tests.soak import SOAKS

pytestmark = pytest.mark.soak

SOME = ["--conversations", "2000" if SOAKS else "160"]


def counted(folder: Path) -> list[Count]:
    async def read() -> list[Count]:
        baton = Baton(read_settings(dict(settings.defaults(8080, folder))))
        now = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        found = await baton.ports.store.counted(now - timedelta(days=8), now + timedelta(days=1))
        await baton.close()
        return found

    return asyncio.run(read())


def test_a_week_has_all_outcomes_and_is_removed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "sample"
    assert demo_data.main(["--folder", str(folder), *SOME]) == 0
    assert f"BATON_HOME={folder} make run" in capsys.readouterr().out
    numbers = figures(counted(folder)).numbers
    assert numbers["conversations"] > 40
    assert numbers["requested"] > 15
    assert min(numbers[name] for name in ("rated", "customerMessages", "botMessages")) > 0
    outcomes = ("left", "returned", "failed", "closed", "expired")
    assert min(numbers[name] for name in outcomes) > 0, numbers
    assert "Sample data" in (folder / demo_data.MARK).read_text()
    assert demo_data.main(["--folder", str(folder), "--remove"]) == 0
    assert not folder.exists()


def test_a_folder_that_it_did_not_make_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "baton.sqlite").write_text("mine")
    for words in ([], ["--remove"]):
        with pytest.raises(BadRequest, match="not made by this command"):
            demo_data.main(["--folder", str(tmp_path), *words])
    assert (tmp_path / "baton.sqlite").read_text() == "mine"
