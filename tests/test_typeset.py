import pytest
import torch

from stablenets.data import digits, standardize
from stablenets.networks import mlp
from stablenets.training import accuracy, train
from stablenets.typeset import FONTS, _glyphs, typeset_digits


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def classifier(x, y, seed=0, steps=400):
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = mlp(2, 64, inputs=x.shape[1])
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    train(model, x, y, optimizer, steps=steps, generator=generator(seed))
    return model


def test_every_glyph_lies_within_its_canvas_and_fills_its_height():
    glyphs = _glyphs()
    assert glyphs.shape[:2] == (len(FONTS), 10)
    border = torch.cat([glyphs[:, :, 0], glyphs[:, :, -1], glyphs[..., 0], glyphs[..., -1]])
    assert border.sum() == 0
    heights = (glyphs.sum(3) > 0).sum(2)
    assert heights.min() >= 46
    assert heights.max() <= 50


def test_a_one_has_no_hole_a_zero_one_and_an_eight_two():
    middle = _glyphs()[0, :, :, 36]
    strokes = (middle.diff(dim=1) > 0).sum(1)
    assert strokes[[1, 0, 8]].tolist() == [1, 2, 3]


def test_no_two_glyphs_are_equal():
    flat = _glyphs().flatten(2).flatten(0, 1)
    assert len(torch.unique(flat, dim=0)) == len(FONTS) * 10


def test_pixels_count_the_dots_of_a_block():
    images, labels = typeset_digits(200, generator=generator())
    assert images.shape == (200, 64)
    assert images.dtype == torch.float32
    assert labels.dtype == torch.int64
    assert torch.equal(images, images.round())
    assert images.min() == 0
    assert images.max() == 16


def test_labels_are_uniform():
    _, labels = typeset_digits(5000, generator=generator())
    counts = torch.bincount(labels, minlength=10)
    assert len(counts) == 10
    # χ² with 9 degrees of freedom exceeds 33.7 with probability 1e-4.
    assert ((counts - 500).square() / 500).sum() < 33.7


def test_the_generator_alone_decides():
    first, second, other = (typeset_digits(5, generator=generator(seed))[0] for seed in (1, 1, 2))
    assert torch.equal(first, second)
    assert not torch.equal(first, other)


def test_the_height_of_a_digit_is_the_one_asked_for():
    for height in (0.4, 0.8):
        images, _ = typeset_digits(300, generator=generator(), size=32, height=height)
        rows = (images.view(-1, 32, 32).amax(2) > 0).sum(1).double().mean() / 32
        assert abs(rows - 0.95 * height) < 0.07


def test_a_model_trained_on_typeset_digits_reads_them():
    x, y = typeset_digits(1500, generator=generator())
    x = standardize(x)
    assert accuracy(classifier(x[:1100], y[:1100]), x[1100:], y[1100:]) > 0.85


def test_a_model_trained_on_handwriting_does_not_read_them():
    split = digits(0)
    model = classifier(split.x_train, split.y_train)
    x, y = typeset_digits(1000, generator=generator())
    assert accuracy(model, split.x_test, split.y_test) > 0.93
    assert accuracy(model, standardize(x), y) < 0.55


def test_part_of_the_drop_is_due_to_the_size_alone():
    split = digits(0)
    model = classifier(split.x_train, split.y_train)
    small, full = (typeset_digits(1000, generator=generator(), height=height) for height in (26 / 32, 1.0))
    assert accuracy(model, standardize(full[0]), full[1]) > accuracy(model, standardize(small[0]), small[1]) + 0.1


@pytest.mark.parametrize("arguments", [{"n": 0}, {"size": 0}, {"height": 0.0}, {"height": 1.1}, {"height": torch.nan}])
def test_bad_arguments_are_named(arguments):
    with pytest.raises(ValueError, match=next(iter(arguments))):
        typeset_digits(**{"n": 5, "generator": generator()} | arguments)
