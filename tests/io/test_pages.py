"""Measurements in Markdown pages."""

import pytest

from mmdeepmot.errors import InputError
from mmdeepmot.io.pages import markdown, place


def test_a_table():
    table = markdown(("a", "b"), [("x", "1"), ("y", "2")])
    assert table.splitlines() == ["| a | b |", "| --- | ---: |", "| x | 1 |", "| y | 2 |"]


def test_a_page_keeps_what_stands_around_the_section(tmp_path):
    page = tmp_path / "benchmarks.md"
    place(page, "packages speed", "one")
    page.write_text("before\n" + page.read_text() + "after\n")
    place(page, "packages accuracy", "three")
    place(page, "packages speed", "two")
    text = page.read_text()
    assert text.startswith("before\n# Benchmarks") and "after\n" in text and "three" in text
    assert "two" in text and "one" not in text
    page.write_text("<!-- begin packages speed -->")
    with pytest.raises(InputError, match="found only one of them"):
        place(page, "packages speed", "x")
