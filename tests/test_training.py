import pytest
import torch
from torch import nn

from stablenets.networks import initialize_, mlp
from stablenets.training import accuracy, train


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


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
