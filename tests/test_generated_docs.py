"""What the documentation says about tables and models comes from them; a stale block fails."""

from pathlib import Path

import pytest

from hw_profiles import catalog
from tools import generated_docs


def test_no_generated_block_is_stale(capsys: pytest.CaptureFixture[str]) -> None:
    assert generated_docs.main(["--check"]) == 0, capsys.readouterr().out


def test_every_kind_of_block_is_used() -> None:
    pages = "".join(page.read_text(encoding="utf-8") for page in generated_docs.pages())
    assert {found["name"] for found in generated_docs.BLOCK.finditer(pages)} == set(
        generated_docs.BLOCKS
    )


def test_a_stale_block_is_renewed() -> None:
    text = "<!-- generated: button -->\nout of date\n<!-- end -->\n"
    assert "stateDiagram-v2" in generated_docs.renew(text)
    assert "out of date" not in generated_docs.renew(text)


def test_drawings_are_renewed_and_those_of_no_model_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(generated_docs, "ROOT", tmp_path)
    monkeypatch.setattr(generated_docs, "DRAWINGS", tmp_path / "lights")
    monkeypatch.setattr(generated_docs, "pages", list)
    assert generated_docs.main([]) == 0
    assert {file.stem for file in (tmp_path / "lights").iterdir()} == set(catalog.names())
    assert generated_docs.main(["--check"]) == 0
    (tmp_path / "lights" / "nvr.svg").write_text("old")
    (tmp_path / "lights" / "gone.svg").write_text("old")
    capsys.readouterr()
    assert generated_docs.main(["--check"]) == 1
    assert capsys.readouterr().out == "stale: lights/gone.svg, lights/nvr.svg\n"
    assert generated_docs.main([]) == 0
    assert not (tmp_path / "lights" / "gone.svg").exists()
    assert generated_docs.main(["--check"]) == 0
