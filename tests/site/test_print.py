"""The book as one page to print: every page of the book is in it, with its pictures."""

import subprocess
import sys
from pathlib import Path

import pytest
from book_rules import ROOT
from browser import ENGLISH, SITE
from bs4 import BeautifulSoup


@pytest.fixture(scope="module")
def page():
    command = [sys.executable, "-m", "stablenets.book.build", "print"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, encoding="utf-8", check=True)
    return Path(done.stdout.strip().splitlines()[-1])


def test_one_page_has_every_chapter_and_its_pictures(page):
    article = BeautifulSoup(page.read_text(encoding="utf-8"), "html.parser").find("article")
    headings = {heading.get_text() for heading in article.find_all(["h3", "h4"])}
    for chapter in (page for page in ENGLISH if page.parent in (SITE / "chapters", SITE / "solutions")):
        assert (
            BeautifulSoup(chapter.read_text(encoding="utf-8"), "html.parser").select_one("article h1").get_text()
            in headings
        )
    pictures = [picture["src"] for picture in article.find_all("img")]
    assert len(pictures) > 30
    assert [source for source in pictures if not (page.parent / source).exists()] == []
