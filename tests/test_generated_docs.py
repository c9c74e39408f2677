"""What the documentation says about tables and models comes from them; a stale block fails."""

import pytest

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
