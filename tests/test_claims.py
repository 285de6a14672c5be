import json
import math

import pytest
import torch
from babel.messages.extract import extract_from_file

import stablenets.claims
from stablenets.claims import MIME_TYPE, Claim, ClaimError, claim
from stablenets.phrases import GAP

# Every way to state a claim.
STATED = [
    {"measured": 0, "expected": 0},
    {"measured": 1.01, "expected": 1, "relative": 0.02},
    {"measured": 0.98, "expected": 1, "tolerance": 0.02},
    {"measured": [0.2, 0.3], "above": 0.1, "below": 0.4},
    {"measured": torch.tensor([2.0, 3.0]), "above": 1},
    {"measured": 0.01, "below": 0.07412208532},
]


def test_every_value_must_hold():
    with pytest.raises(ClaimError, match=r"all large: measured .* \(3 values\), expected: above 0.5"):
        claim("all large", torch.tensor([0.9, 0.4, 0.8]), above=0.5, source="test")


def test_nan_never_holds():
    for bounds in ({"above": 0}, {"below": 0}, {"expected": 0, "tolerance": 1e9}):
        with pytest.raises(ClaimError):
            claim("not a number", math.nan, **bounds, source="test")


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_seed_that_diverged_fails_the_claim(value):
    with pytest.raises(ClaimError, match="all small"):
        claim("all small", [0.1, value, 0.2], below=1, source="test")


@pytest.mark.parametrize(
    ("measured", "bounds", "expectation"),
    [
        (0, {"expected": 0}, "exactly 0"),
        (1.01, {"expected": 1, "relative": 0.02}, "1 ± 2 %"),
        (0.98, {"expected": 1, "tolerance": 0.02}, "1 ± 0.02"),
        ([0.2, 0.3], {"above": 0.1, "below": 0.4}, "above 0.1 and below 0.4"),
        (1.0, {"below": 1.000001}, "below 1.000001"),
        (0.01, {"below": 0.07412208532}, "below 0.0741221"),
    ],
)
def test_expectation_is_told_in_words(measured, bounds, expectation):
    assert claim("it holds", measured, **bounds, source="test").expectation() == expectation


@pytest.mark.parametrize("bounds", [{"expected": 1}, {"expected": 1, "tolerance": 1e-9}, {"above": 1.0}, {"below": 1}])
def test_bounds_are_kept(bounds):
    with pytest.raises(ClaimError):
        claim("one", 1.0 if "expected" not in bounds else 1.001, **bounds, source="test")


def test_committed_text_tells_no_measured_value_but_the_book_does():
    bundle = claim("ratio is small", 0.12345, below=1, source="Someone <1999>")._repr_mimebundle_()
    assert "0.1" not in bundle["text/plain"]
    assert "0.1235" in bundle["text/html"]
    assert "Someone &lt;1999&gt;" in bundle["text/html"]
    assert bundle[MIME_TYPE]["measured"] == [0.12345]


@pytest.mark.parametrize("arguments", STATED)
def test_output_of_a_claim_keeps_its_numbers(arguments):
    stated = claim("it holds", **arguments, source="test")
    kept = json.loads(json.dumps(stated._repr_mimebundle_()[MIME_TYPE], allow_nan=False))
    assert Claim.of(kept) == stated


def test_infinity_and_nan_are_kept_as_valid_json():
    odd = Claim("it diverges", (math.inf, -math.inf, math.nan), "test", above=-math.inf)
    kept = json.loads(json.dumps(odd.fields, allow_nan=False))
    assert repr(Claim.of(kept).measured) == repr(odd.measured)
    assert Claim.of(kept).above == -math.inf


@pytest.mark.parametrize("arguments", STATED)
def test_bounds_are_the_ends_of_what_was_stated(arguments):
    stated = claim("it holds", **arguments, source="test")
    inside = (max(stated.low, -9) + min(stated.high, 9)) / 2
    assert stated._replace(measured=(inside,)).holds
    for end, outside in ((stated.low, -math.inf), (stated.high, math.inf)):
        assert stated._replace(measured=(inside, end)).holds == stated.inclusive
        assert not stated._replace(measured=(inside, math.nextafter(end, outside))).holds


@pytest.mark.parametrize("arguments", STATED)
def test_all_words_of_a_claim_are_templates_that_translators_have(arguments):
    """What is said in another language is said of the same numbers, and by templates that are marked alone."""
    found = extract_from_file("python", stablenets.claims.__file__, keywords={"N_": None})
    marked = {message for _line, message, *_more in found}
    asked = []

    def translate(template):
        asked.append(template)
        return f"«{'|'.join([GAP] * template.count(GAP))}»"

    stated = claim("it holds", **arguments, source="test")
    said = stated.numbers(translate) + stated.summary(translate) + stated.expectation(translate)
    assert set(asked) <= marked
    assert [letter for letter in said if letter.isalpha() and letter != "e"] == []


@pytest.mark.parametrize(
    "arguments",
    [
        {"measured": 1.0},
        {"measured": 1.0, "expected": 1, "above": 0},
        {"measured": 1.0, "expected": 1, "tolerance": 0.1, "relative": 0.1},
        {"measured": 1.0, "above": 0, "tolerance": 0.1},
        {"measured": [], "above": 0},
    ],
)
def test_a_claim_that_cannot_be_held_against_anything_is_refused(arguments):
    with pytest.raises(ValueError, match=r"claim needs|not both|belong to expected|at least one number"):
        claim("vague", **arguments, source="test")
