"""The pages for the three users name buttons and states by the words that stand on the screen, in both languages."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
WORDS = ROOT / "dashboard/web/src/lib/words"
PAGES = [f"for-{who}.md" for who in ("staff", "coordinators", "maintainers")]
# A value of a line such as  'alarm.active': '持续中',
VALUE = re.compile(r""":\s*(['"])((?:\\.|(?!\1).)*)\1""")


def words(language: str) -> list[str]:
    """All that the page can say in one language."""
    texts = [path.read_text("utf-8") for path in sorted((WORDS / language).glob("*.ts"))]
    return [found[1].replace("\\'", "'") for text in texts for found in VALUE.findall(text)]


def named(page: str) -> tuple[list[str], list[str]]:
    """What one page puts in 「」, and what it puts in *…* of its English half."""
    chinese, _, english = (ROOT / "docs" / page).read_text("utf-8").partition("## English")
    assert english, page
    return re.findall(r"「([^」]+)」", chinese), re.findall(r"(?<!\*)\*([A-Z][^*\n]+)\*(?!\*)", english)


@pytest.mark.parametrize("page", PAGES)
def test_a_users_page_says_what_the_screen_says(page: str) -> None:
    chinese, english = named(page)
    assert len(chinese) >= 5
    assert len(english) >= 5
    missing = [word for word in chinese if not any(word in said for said in words("zh"))]
    missing += [word for word in english if not any(word.lower() in said.lower() for said in words("en"))]
    assert missing == []


@pytest.mark.parametrize("page", PAGES)
def test_a_users_page_leads_to_pages_that_are_there(page: str) -> None:
    links = re.findall(r"\]\(([\w.-]+\.md)\)", (ROOT / "docs" / page).read_text("utf-8"))
    assert links
    assert [link for link in links if not (ROOT / "docs" / link).is_file()] == []
