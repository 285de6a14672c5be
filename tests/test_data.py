import pytest
import torch

from stablenets.data import digits, standardize


def test_digits_are_all_there_and_split_without_overlap():
    split = digits(seed=3)
    assert len(split.x_train) + len(split.x_test) == 1797
    counts = torch.cat([split.y_train, split.y_test]).bincount().tolist()
    assert counts == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]


def test_training_digits_are_standardised_as_a_whole():
    images = digits(seed=1).x_train
    assert abs(images.mean()) < 1e-5
    assert abs(images.std() - 1) < 1e-5
    assert images.std(0).min() == 0, "a corner pixel that is always white stays constant: no pixel is scaled alone"


def test_seed_decides_the_split():
    assert torch.equal(digits(seed=5).x_test, digits(seed=5).x_test)
    assert not torch.equal(digits(seed=5).y_test, digits(seed=6).y_test)


@pytest.mark.parametrize("test_size", [0, -1, 1797, 2.5, True])
def test_impossible_split_is_refused(test_size):
    with pytest.raises(ValueError, match="test_size must be"):
        digits(test_size=test_size)


def test_standardize_gives_other_images_the_scale_of_the_training_pixels():
    from sklearn.datasets import load_digits

    raw = torch.from_numpy(load_digits().data)
    split = digits(3, test_size=100)
    ours = standardize(raw, 3, test_size=100)
    assert len(torch.cat([split.x_train, split.x_test, ours]).unique(dim=0)) == len(ours.unique(dim=0))
    assert not torch.equal(standardize(raw, 4, test_size=100), ours)


@pytest.mark.parametrize("images", [torch.zeros(64), torch.zeros(2, 63), torch.full((2, 64), torch.nan)])
def test_standardize_names_bad_images(images):
    with pytest.raises(ValueError, match="images"):
        standardize(images)
