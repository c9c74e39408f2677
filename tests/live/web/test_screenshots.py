"""Pictures of the pages: there are those that the tool makes, and the papers show no others."""

import re
from pathlib import Path

import pytest
from PIL import Image

from tools.screenshots import BYTES_MAX, FOLDER, PICTURES

ROOT = Path(__file__).parents[3]
PAPERS = (ROOT / "README.md", ROOT / "fleet" / "web" / "README.md")
SHOWN = re.compile(r"!\[([^\]]*)\]\(([^)\s]+)\)")


def shown(paper: Path) -> dict[str, str]:
    """Return the words for each picture that a paper shows."""
    return {
        (paper.parent / place).resolve().stem: words
        for words, place in SHOWN.findall(paper.read_text())
        if (paper.parent / place).resolve().is_relative_to(FOLDER)
    }


def test_the_folder_has_what_the_tool_makes() -> None:
    assert sorted(one.name for one in PICTURES) == sorted(one.stem for one in FOLDER.iterdir())


def test_the_papers_show_all_pictures_and_say_what_is_on_them() -> None:
    told = {name: words for paper in PAPERS for name, words in shown(paper).items()}
    assert told == {one.name: one.words for one in PICTURES}
    assert 4 <= len(shown(PAPERS[0])) <= 5


@pytest.mark.parametrize("picture", PICTURES, ids=lambda picture: picture.name)
def test_a_picture_is_small_and_has_the_size_of_the_table(picture: object) -> None:
    known = next(one for one in PICTURES if one == picture)
    path = FOLDER / f"{known.name}.png"
    assert path.stat().st_size <= BYTES_MAX
    with Image.open(path) as opened:
        assert opened.size == known.size
