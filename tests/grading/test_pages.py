"""Feedback and overview tell what there is to know, and nothing that a submission said is markup."""

import re
from html.parser import HTMLParser

import pytest
from book_rules import ROOT
from browser import PHONE, launched, needs_browser
from sandboxed import assignments

from stablenets.checks.exercise import EXERCISES
from stablenets.grading import feedback, report
from stablenets.grading.manual import ManualMark
from stablenets.grading.records import Outcome, PartMark

ASSIGNMENTS = assignments()
CHAPTER, OPEN = "initialization", "two-standard-deviations"
TAGS = {
    "html", "head", "meta", "title", "style", "body", "main", "h1", "h2", "h3", "p", "span", "ul", "li", "div", "code",
    "svg", "rect", "text", "table", "caption", "thead", "tbody", "tr", "th", "td", "a", "em", "strong",
}  # fmt: skip
ATTRIBUTES = {
    "lang", "charset", "http-equiv", "content", "name", "class", "scope", "role", "aria-label", "width", "height",
    "viewbox", "x", "y", "text-anchor", "href",
}  # fmt: skip
HOSTILE = [
    "</title></style></div><script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    '" onmouseover="alert(1)" \' onfocus=\'alert(1)',
    "[click](javascript:alert(1)) ![x](http://example.org/x.png) https://example.org",
    "{{ 7 * 7 }} {% raw %} {# #}",
    "a\0b\x1b[31m\u202egnp.exe\u200b",
    "x" * 10**5,
    "]]>--><!--",
    "&lt;script&gt;",
]


class Page(HTMLParser):
    """What a browser makes of a page."""

    def __init__(self, path):
        super().__init__(convert_charrefs=True)
        self.tags, self.attributes, self.links, self.text = set(), set(), set(), ""
        self.source = path.read_text(encoding="utf-8")
        self.feed(self.source)
        self.close()

    def handle_starttag(self, tag, attributes):
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attributes}
        self.links |= {value for name, value in attributes if name in ("href", "src")}

    def handle_data(self, data):
        self.text += data


def outcome(student="Ash", key="ash/x.ipynb", hostile="", points=1, words="because", **changes):
    questions = [question for question in ASSIGNMENTS[CHAPTER].questions if question.function]
    parts = tuple(
        PartMark(question.exercise, part.name, min(points, part.points), part.points, hostile or "" if points else "no")
        for question in questions
        for part in EXERCISES[question.exercise].parts
    )
    whole = Outcome(student, student, "", "d", CHAPTER, "", parts, ((OPEN, words),), (hostile,) if hostile else (), 1.0)
    return whole._replace(key=key, **changes)


def pages(folder, outcomes, marks=()):
    marks = dict(marks)
    made = feedback.write(folder / "feedback", outcomes, ASSIGNMENTS, marks)
    report.write(folder, outcomes, ASSIGNMENTS, marks)
    return {key: Page(path) for key, path in made.items()}, Page(folder / "overview.html"), Page(folder / "manual.html")


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_text_is_never_markup(tmp_path, text):
    marks = {("k" + text, OPEN): ManualMark(1, text)}
    rows = [
        outcome(text, "k" + text, text, 0, text),
        outcome(text, "l" + text, text, 0, text),
        Outcome("f" + text, text, "", "d", problem=text),
    ]
    feedbacks, overview, manual = pages(tmp_path, rows, marks)
    for page in [*feedbacks.values(), overview, manual]:
        assert page.tags <= TAGS
        assert page.attributes <= ATTRIBUTES
        assert page.links <= {"manual.html"}
        assert not re.search("[\0\x1b\u202e\u200b]", page.source)
        assert len(page.source) < 3 * 10**5
        assert ">49 " not in page.source


def test_nothing_is_loaded_or_run(tmp_path):
    feedbacks, overview, manual = pages(tmp_path, [outcome()])
    for page in [*feedbacks.values(), overview, manual]:
        assert "default-src 'none'" in page.source
        assert "script" not in page.tags
        assert "http:" not in page.source
        assert "https:" not in page.source


def test_every_submission_has_a_page_of_its_own(tmp_path):
    rows = [outcome("Ash", key) for key in ("a", "A", "é", "e", "a/b", "../x", "\ud800")]
    feedbacks, _, _ = pages(tmp_path, rows)
    names = [path.name for path in (tmp_path / "feedback").iterdir()]
    assert len(names) == len(feedbacks) == len(rows)
    assert all(re.fullmatch(r"[A-Za-z0-9-]+\.html", name) for name in names)


def test_pages_tell_nothing_of_other_students_nor_of_rubrics(tmp_path):
    rows = [outcome("Ash", "a"), outcome("Birch", "b", words="my secret words")]
    page = pages(tmp_path, rows, {("b", OPEN): ManualMark(1, "between us")})[0]["a"]
    rubric = next(question.rubric for question in ASSIGNMENTS[CHAPTER].questions if question.exercise == OPEN)
    for secret in ("Birch", "secret words", "between us", *rubric.split("\n")[:1]):
        assert secret not in page.text
    assert str(ROOT) not in page.source


def test_feedback_tells_points_messages_and_what_a_person_gave(tmp_path):
    wrong = outcome("Ash", "a", points=0)
    page = pages(tmp_path, [wrong], {("a", OPEN): ManualMark(1.5, "almost")})[0]["a"]
    maximum = sum(q.points + q.manual_points for q in ASSIGNMENTS[CHAPTER].questions)
    assert f"1.5 of {maximum} points" in page.text
    assert "1.5 of 2 points: almost" in page.text
    assert page.text.count("✗") == len(wrong.parts)
    assert "because" in page.text


def test_feedback_does_not_say_where_the_machine_keeps_its_files(tmp_path):
    told = outcome("Ash", "a", points=0, hostile="FileNotFoundError: /srv/teacher/course/secret-key.txt, 1/2 of it")
    page = pages(tmp_path, [told])[0]["a"]
    assert "/srv" not in page.text
    assert "teacher" not in page.text


def test_feedback_says_what_waits_for_a_person_and_why_there_is_no_mark(tmp_path):
    failed = Outcome("b", "Birch", "", "d", problem="the file is empty")
    feedbacks, _, _ = pages(tmp_path, [outcome("Ash", "a"), failed, outcome("Elm", "c", words="")])
    assert "is marked by a person" in feedbacks["a"].text
    assert "could not be graded: the file is empty" in feedbacks["b"].text
    assert "You wrote no answer" in feedbacks["c"].text
    assert "Not counted yet" not in feedbacks["c"].text


def test_overview_counts_what_there_is(tmp_path):
    rows = [
        outcome("Ash", "a", points=9),
        outcome("Ash", "a2", points=0),
        outcome("Birch", "b", points=0),
        outcome("Elm", "e", points=9),
    ]
    failed = Outcome("f", "Fir", "", "d", problem="the file is empty")
    overview = pages(tmp_path, [*rows, failed])[1]
    text = " ".join(overview.text.split())
    assert "5 submissions: 4 graded, 1 not" in text
    assert "4 answers to open questions still to be marked" in text
    coded = [question for question in ASSIGNMENTS[CHAPTER].questions if question.function]
    machine = sum(question.points for question in coded)
    assert f"3 students; of {machine + 2} points the median has {machine}" in text
    assert f'aria-label="students by points, all exercises together. 0: 1, {machine}: 2"' in overview.source
    assert text.count("67 %") == len(coded)
    assert "Ash, Initialization: a, a2" in text


def row_of(overview, title):
    """The cells of a line of the table of exercises, as text."""
    line = overview.source.partition(f'<tr><th scope="row">{title}')[2].partition("</tr>")[0]
    return re.sub(r"<svg.*</svg>", "", line).replace("</th>", "").replace("</td>", "").split('<td class="number">')


def test_overview_has_open_questions_as_far_as_they_are_marked(tmp_path):
    rows = [outcome(name, name) for name in ("ash", "birch", "elm")] + [outcome("fir", "fir", words="")]
    marks = {("ash", OPEN): ManualMark(2), ("birch", OPEN): ManualMark(0.5)}
    title = next(question.title for question in ASSIGNMENTS[CHAPTER].questions if question.exercise == OPEN)
    shown = row_of(pages(tmp_path, rows, marks)[1], title)
    assert shown[:5] == [" (by a person, 3 of 4 marked)", "2", "42 %", "1", "1"]
    unmarked = row_of(pages(tmp_path, rows[:1])[1], title)
    assert unmarked[:4] == [" (by a person, 0 of 1 marked)", "2", "–", "0"]


@needs_browser
def test_names_of_exercises_are_not_broken_letter_by_letter_on_a_phone(tmp_path):
    pages(tmp_path, [outcome()])
    with launched() as browser:
        page = browser.new_page(viewport=dict(zip(("width", "height"), PHONE)))
        page.goto((tmp_path / "overview.html").as_uri())
        widths = page.evaluate("[...document.querySelectorAll('th[scope=row]')].map(cell => cell.clientWidth)")
        assert min(widths) > 150
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE[0], "the table scrolls, not the page"


def test_what_an_earlier_answer_had_is_told_to_the_instructor_alone(tmp_path):
    marks = {("a", OPEN): ManualMark(None, earlier="1 of 2: say why")}
    feedbacks, _, manual = pages(tmp_path, [outcome("Ash", "a")], marks)
    assert "an earlier answer had 1 of 2: say why" in manual.text
    assert "say why" not in feedbacks["a"].text


def test_page_of_what_could_not_be_read_has_a_title(tmp_path):
    failed = Outcome("b", "Birch", "", "d", problem="the file is empty")
    assert "<title>Your notebook: Birch</title>" in pages(tmp_path, [failed])[0]["b"].source


def test_one_thing_is_told_in_the_singular(tmp_path):
    overview = pages(tmp_path, [outcome("Ash", "a")])[1]
    text = " ".join(overview.text.split())
    assert "1 submission: 1 graded" in text
    assert "1 answer to open questions still" in text
    assert "1 student; of" in text


def test_mistakes_that_differ_only_in_numbers_are_counted_together(tmp_path):
    rows = []
    for number, student in enumerate(["Ash", "Birch", "Elm"]):
        made = outcome(student, student, points=9)
        said = f"f({number}.5e-3, [1, {number}]) = -{number}: the square root is missing"
        rows.append(made._replace(parts=(made.parts[0]._replace(points=0, message=said), *made.parts[1:])))
    overview = pages(tmp_path, rows)[1]
    assert overview.text.count("the square root is missing") == 1
    assert re.search(r"3\s*" + re.escape(made.parts[0].exercise), overview.text)


def test_manual_page_has_rubric_and_all_answers(tmp_path):
    rows = [outcome("Ash", "a", words="my $x$\nwords"), outcome("Elm", "e", words="")]
    manual = pages(tmp_path, rows)[2]
    assert "my $x$\nwords" in manual.text
    assert "1 answer\n" in manual.text
    assert r"$\sigma$" in manual.text
    assert ":::" not in manual.text


def test_empty_class_has_an_overview(tmp_path):
    _, overview, manual = pages(tmp_path, [])
    assert "0 submissions" in overview.text
    assert "Nobody wrote an answer" in manual.text


def test_pages_are_the_same_when_written_again(tmp_path):
    rows = [outcome("Ash", "a"), outcome("Elm", "b", points=0)]
    first = [page.source for page in pages(tmp_path, rows)[0].values()]
    assert [page.source for page in pages(tmp_path, rows)[0].values()] == first
