"""The data, the networks and the training loop that all experiments share."""

import pytest
import torch
from torch import nn

from stablenets.data import digits
from stablenets.networks import initialize_, mlp
from stablenets.training import accuracy, train


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def test_digits_are_all_there_and_split_without_overlap():
    split = digits(seed=3)
    assert len(split.x_train) + len(split.x_test) == 1797
    assert torch.cat([split.y_train, split.y_test]).bincount().tolist() == [
        178,
        182,
        177,
        183,
        181,
        182,
        181,
        179,
        174,
        180,
    ]


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


def test_depth_counts_the_linear_layers():
    model = mlp(5, 7, activation="gelu", batch_norm=True, bias=False)
    kinds = [type(module).__name__ for module in model]
    assert kinds == ["Linear", "BatchNorm1d", "GELU"] * 4 + ["Linear"]
    assert all(module.bias is None for module in model if isinstance(module, nn.Linear))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"depth": 0, "width": 3}, "depth must be a positive integer, got 0"),
        ({"depth": 2, "width": 2.0}, "width must be a positive integer, got 2.0"),
        ({"depth": 2, "width": 2, "activation": "swish"}, "activation must be one of .*'silu'.*, got 'swish'"),
    ],
)
def test_impossible_network_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        mlp(**arguments)


def test_model_without_linear_layer_cannot_be_initialized():
    with pytest.raises(ValueError, match="got Sequential without any"):
        initialize_(nn.Sequential(), nn.init.zeros_)


def linear_problem():
    x = torch.randn(60, 3, generator=seeded())
    return x, (x[:, 0] > 0).long(), initialize_(mlp(1, 1, inputs=3, outputs=2), nn.init.zeros_)


def test_full_batch_step_is_gradient_descent():
    x, y, model = linear_problem()
    train(model, x, y, torch.optim.SGD(model.parameters(), lr=0.5), steps=1, batch_size=60, generator=seeded())
    error = torch.full((60, 2), 0.5) - nn.functional.one_hot(y, 2)
    assert torch.allclose(model[0].weight, -0.5 * error.T @ x / 60, atol=1e-6)


def test_each_epoch_shows_every_example_once():
    x, y, model = linear_problem()
    seen = []
    model.register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0]))
    train(model, x, y, torch.optim.SGD(model.parameters(), lr=0.0), steps=6, batch_size=20, generator=seeded())
    for epoch in (torch.cat(seen[:3]), torch.cat(seen[3:])):
        assert torch.equal(epoch.sort(0).values, x.sort(0).values)


def test_clipping_bounds_each_step():
    x, y, model = linear_problem()
    optimizer = torch.optim.SGD(model.parameters(), lr=1.0)
    train(model, 1e3 * x, y, optimizer, steps=1, batch_size=60, max_norm=0.1, generator=seeded())
    squares = sum(parameter.square().sum() for parameter in model.parameters())
    assert abs(squares.sqrt() - 0.1) < 1e-6


def test_training_stops_where_the_loss_is_no_number():
    x, y, model = linear_problem()
    losses = train(
        model, x * torch.inf, y, torch.optim.SGD(model.parameters(), lr=1.0), steps=5, generator=seeded(), batch_size=60
    )
    assert losses.isnan().all()
    assert torch.equal(model[0].weight, torch.zeros(2, 3))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"steps": 0}, "steps must be a positive integer, got 0"),
        ({"batch_size": 61}, "batch_size must be at most the number of examples, 60, got 61"),
        ({"batch_size": 0}, "batch_size must be a positive integer, got 0"),
        ({"max_norm": -1.0}, "max_norm must be a positive finite number, got -1.0"),
    ],
)
def test_impossible_training_is_refused(changes, message):
    x, y, model = linear_problem()
    arguments = {"steps": 1, "batch_size": 20, **changes}
    with pytest.raises(ValueError, match=message):
        train(model, x, y, torch.optim.SGD(model.parameters()), generator=seeded(), **arguments)


def test_accuracy_is_taken_in_evaluation_mode_and_leaves_the_mode():
    model = nn.Sequential(nn.Dropout(0.999), nn.Linear(4, 4, bias=False))
    nn.init.eye_(model[1].weight)
    assert accuracy(model, torch.eye(4), torch.arange(4)) == 1.0
    assert model.training
