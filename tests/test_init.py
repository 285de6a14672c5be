"""Oracles: connections counted in a Jacobian, closed-form moments within four standard errors, norms of signals."""

import math

import pytest
import torch
from torch import nn

from stablenets import init, meanfield


def _generator(seed=0):
    return torch.Generator().manual_seed(seed)


def _assert_moments(tensor, variance, kurtosis):
    """Mean, variance and kurtosis of independent entries, each within four standard errors."""
    x, n = tensor.detach().double().flatten(), tensor.numel()
    assert abs(x.mean()) < 4 * math.sqrt(variance / n)
    assert abs(x.var() / variance - 1) < 4 * math.sqrt((kurtosis - 1) / n)
    assert abs((x**4).mean() / x.var() ** 2 - kurtosis) < 4 * math.sqrt(100 / n)  # E[x⁸]/σ⁸ ≤ 105 for all three laws


# fans -----------------------------------------------------------------------------------------------------------------


def _interior_counts(layer, shape):
    """Mean numbers of nonzero Jacobian entries per output and per input, over one period away from the borders."""
    nn.init.ones_(layer.weight)
    x = torch.zeros(1, *shape)
    jacobian = torch.autograd.functional.jacobian(layer, x)[0].squeeze(len(shape))  # (out, *size, in, *size)
    dims, period = len(shape) - 1, layer.stride
    outputs = jacobian.flatten(1 + dims).ne(0).sum(-1)
    inputs = jacobian.flatten(0, dims).ne(0).sum(0)

    def interior(count, steps):
        window = tuple(slice(size // 2, size // 2 + step) for size, step in zip(count.shape[1:], steps, strict=True))
        return count[(slice(None), *window)].double().mean().item()

    ones = (1,) * dims
    transposed = isinstance(layer, (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d))
    return (
        interior(outputs, period if transposed else ones),
        interior(inputs, ones if transposed else period),
    )


@pytest.mark.parametrize(
    ("layer", "shape"),
    [
        (nn.Conv1d(3, 5, 3), (3, 12)),
        (nn.Conv1d(4, 6, 5, stride=2, dilation=2, groups=2), (4, 30)),
        (nn.Conv2d(2, 3, 3, padding=1), (2, 9, 9)),
        (nn.Conv2d(4, 8, (3, 5), groups=4), (4, 12, 14)),
        (nn.Conv2d(2, 4, 3, stride=2, padding=1), (2, 12, 12)),
        (nn.Conv2d(6, 6, 3, groups=6), (6, 9, 9)),
        (nn.Conv3d(2, 3, 2), (2, 5, 5, 5)),
        (nn.ConvTranspose1d(3, 5, 4), (3, 12)),
        (nn.ConvTranspose2d(3, 2, 4, stride=2, padding=1), (3, 8, 8)),
        (nn.ConvTranspose2d(4, 6, 3, stride=2, groups=2), (4, 8, 8)),
        (nn.ConvTranspose3d(2, 3, 2), (2, 5, 5, 5)),
    ],
    ids=repr,
)
def test_fans_are_the_counted_connections(layer, shape):
    assert init.fans(layer) == pytest.approx(_interior_counts(layer, shape))


def test_fans_of_a_linear_layer_are_its_features():
    assert init.fans(nn.Linear(7, 3)) == (7, 3)


@pytest.mark.parametrize("module", [nn.ReLU(), nn.LSTM(3, 3), nn.Embedding(3, 3), torch.zeros(3, 3)], ids=repr)
def test_fans_refuses_other_modules(module):
    with pytest.raises(TypeError, match=f"module must be .* got {type(module).__name__}"):
        init.fans(module)


# variance_scaling_ ----------------------------------------------------------------------------------------------------

KURTOSIS = {
    "normal": 3.0,
    "uniform": 1.8,
    # E[z⁴]/E[z²]² of N(0, 1) cut at ±2, from E[z²] = 1 − 2r and E[z⁴] = 3 − 14r with r = 2 density(2) / mass
    "truncated_normal": (3 - 14 * 0.1131274308) / (1 - 2 * 0.1131274308) ** 2,
}


@pytest.mark.parametrize("distribution", KURTOSIS)
@pytest.mark.parametrize(("mode", "fan"), [("fan_in", 500), ("fan_out", 1000), ("fan_avg", 750)])
def test_variance_is_scale_over_fan(distribution, mode, fan):
    weight = torch.empty(1000, 500)
    assert (
        init.variance_scaling_(weight, scale=2.0, mode=mode, distribution=distribution, generator=_generator())
        is weight
    )
    _assert_moments(weight, 2 / fan, KURTOSIS[distribution])


def test_uniform_stays_within_its_bound():
    weight = init.variance_scaling_(torch.empty(500, 400), distribution="uniform", generator=_generator())
    assert weight.abs().max() <= math.sqrt(3 / 400)
    assert weight.abs().max() > 0.999 * math.sqrt(3 / 400)


def test_truncated_normal_is_cut_at_two_of_its_own_deviations():
    weight = init.variance_scaling_(torch.empty(1000, 400), distribution="truncated_normal", generator=_generator())
    bound = 2 / 0.8796256610 / math.sqrt(400)
    assert weight.abs().max() <= bound * (1 + 1e-6)
    assert weight.abs().max() > 0.99 * bound


def test_unit_normal_cut_at_two_has_the_reference_deviation():
    weight = nn.init.trunc_normal_(torch.empty(1000, 1000), generator=_generator())
    assert weight.double().var().item() ** 0.5 == pytest.approx(0.8796256610, abs=4 * 0.88 * math.sqrt(0.33 / 1e6))


@pytest.mark.parametrize("distribution", KURTOSIS)
def test_small_weights_are_truncated_alike(distribution):
    """The bounds of torch are absolute: cutting at ±2 would leave a deviation of 0.02 as it is."""
    small, large = (
        init.variance_scaling_(torch.empty(50, 40), scale=scale, distribution=distribution, generator=_generator())
        for scale in (0.01, 100.0)
    )
    torch.testing.assert_close(100 * small, large)


def test_convolution_kernels_have_the_fans_of_torch():
    weight = torch.empty(64, 32, 3, 3)
    ours = init.variance_scaling_(weight.clone(), scale=2.0, mode="fan_out", generator=_generator())
    theirs = nn.init.kaiming_normal_(weight.clone(), mode="fan_out", nonlinearity="relu", generator=_generator())
    torch.testing.assert_close(ours, theirs)


def test_fan_average_is_glorots():
    ours = init.variance_scaling_(torch.empty(30, 70), mode="fan_avg", distribution="uniform", generator=_generator())
    torch.testing.assert_close(ours, nn.init.xavier_uniform_(torch.empty(30, 70), generator=_generator()))


def test_true_fan_keeps_the_signal_of_a_transposed_convolution():
    layer = nn.ConvTranspose2d(64, 16, kernel_size=4, stride=2, padding=1, bias=False)
    init.variance_scaling_(layer.weight, fan=init.fans(layer).fan_in, generator=_generator())
    output = layer(torch.randn(16, 64, 32, 32, generator=_generator(1)))[..., 8:-8, 8:-8]
    assert output.detach().pow(2).mean().item() == pytest.approx(
        1, abs=0.04
    )  # 16 · 4² · 64 weights: 4 √(2/16384) = 0.044


@pytest.mark.parametrize(
    ("tensor", "options", "message"),
    [
        (torch.empty(5), {}, r"shape \(out, in, ...\).*\(5,\)"),
        (torch.empty(()), {}, r"shape \(out, in, ...\)"),
        (torch.empty(0, 3), {}, r"non-empty.*\(0, 3\)"),
        (torch.empty(3, 0), {}, r"non-empty.*\(3, 0\)"),
        (torch.zeros(3, 3, dtype=torch.int64), {}, "floating-point.*int64"),
        (torch.empty(3, 3), {"mode": "fan"}, "mode must be one of 'fan_in', 'fan_out', 'fan_avg', got 'fan'"),
        (torch.empty(3, 3), {"distribution": "cauchy"}, "distribution must be one of .* got 'cauchy'"),
        (torch.empty(3, 3), {"scale": 0.0}, "scale must be a positive finite number, got 0.0"),
        (torch.empty(3, 3), {"scale": math.nan}, "scale must be a positive finite number, got nan"),
        (torch.empty(3, 3), {"fan": 0}, "fan must be a positive finite number, got 0"),
    ],
)
def test_variance_scaling_names_bad_arguments(tensor, options, message):
    with pytest.raises(ValueError, match=message):
        init.variance_scaling_(tensor, **options)


def test_variance_scaling_refuses_what_is_no_tensor():
    with pytest.raises(TypeError, match=r"tensor must be a torch.Tensor, got list"):
        init.variance_scaling_([[0.0]])


# critical_ ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "layer",
    [nn.Linear(1000, 1000), nn.Conv2d(256, 1024, 3, groups=4), nn.ConvTranspose1d(512, 1024, 4, stride=2)],
    ids=["linear", "grouped", "transposed"],
)
def test_critical_layers_have_the_critical_variances(layer):
    assert init.critical_(layer, "tanh", 0.05, generator=_generator()) is layer
    _assert_moments(layer.weight, 1.7609546396067 / init.fans(layer).fan_in, 3.0)
    assert layer.bias.detach().var().item() == pytest.approx(0.05, rel=4 * math.sqrt(2 / 1000))


def test_critical_relu_is_he():
    layer = init.critical_(nn.Linear(200, 100), "relu", 0.0, generator=_generator())
    he = nn.init.kaiming_normal_(torch.empty(100, 200), nonlinearity="relu", generator=_generator())
    torch.testing.assert_close(layer.weight.detach(), he)
    assert not layer.bias.any()


def test_critical_layers_rest_at_the_critical_variance():
    width, depth = 1000, 10
    q = meanfield.critical_point("tanh", 0.05).q
    generator = _generator()
    h = math.sqrt(q) * torch.randn(8, width, generator=generator)
    with torch.no_grad():
        for _ in range(depth):
            h = init.critical_(nn.Linear(width, width), "tanh", generator=generator)(torch.tanh(h))
    assert h.pow(2).mean().item() == pytest.approx(q, rel=0.1)


def test_critical_layer_without_bias_takes_no_bias_variance():
    layer = init.critical_(nn.Linear(4, 4, bias=False), "relu", 0.0, generator=_generator())
    before = layer.weight.detach().clone()
    with pytest.raises(ValueError, match=r"bias_variance must be 0 for a layer without bias, got 0.05"):
        init.critical_(layer, "tanh")
    assert torch.equal(layer.weight, before)


def test_critical_names_bad_arguments():
    with pytest.raises(ValueError, match=r"activation must be one of .* got 'tanj'"):
        init.critical_(nn.Linear(3, 3), "tanj")
    with pytest.raises(ValueError, match=r"critical line of 'relu', got 0.05"):
        init.critical_(nn.Linear(3, 3), "relu")
    with pytest.raises(TypeError, match=r"module must be .* got LSTM"):
        init.critical_(nn.LSTM(3, 3), "tanh")


@pytest.mark.filterwarnings("ignore:Initializing zero-element tensors")
def test_a_layer_without_inputs_is_refused():
    for call in (
        lambda layer: init.critical_(layer, "tanh"),
        lambda layer: init.variance_scaling_(layer.weight, fan=init.fans(layer).fan_in),
    ):
        with pytest.raises(ValueError, match=r"non-empty.*\(3, 0\)"):
            call(nn.Linear(0, 3))


# delta_orthogonal_ ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("layer_type", [nn.Conv1d, nn.Conv2d, nn.Conv3d])
@pytest.mark.parametrize("gain", [1.0, 1.5])
def test_delta_orthogonal_convolution_keeps_every_norm(layer_type, gain):
    layer = layer_type(4, 6, 3, padding=1, bias=False, dtype=torch.float64)
    assert init.delta_orthogonal_(layer.weight, gain, generator=_generator()) is layer.weight
    spatial = [5] * (layer.weight.dim() - 2)
    x = torch.randn(3, 4, *spatial, generator=_generator(1), dtype=torch.float64)
    norms = x.flatten(1).norm(dim=1), layer(x).detach().flatten(1).norm(dim=1)
    torch.testing.assert_close(norms[1], gain * norms[0], rtol=1e-12, atol=0)


def test_delta_orthogonal_kernel_is_zero_off_its_centre():
    kernel = init.delta_orthogonal_(torch.full((3, 2, 5, 3), 7.0), generator=_generator())
    centre = kernel[:, :, 2, 1].clone()
    torch.testing.assert_close(centre.T @ centre, torch.eye(2))
    kernel[:, :, 2, 1] = 0
    assert not kernel.any()


@pytest.mark.parametrize("shape", [(4, 4), (2, 4, 3), (4, 4, 2), (4, 4, 3, 4), (2, 2, 1, 1, 1, 1)])
def test_delta_orthogonal_refuses_other_shapes(shape):
    with pytest.raises(ValueError, match=rf"tensor must have the shape .* got \({', '.join(map(str, shape))}\)"):
        init.delta_orthogonal_(torch.empty(shape))


def test_delta_orthogonal_refuses_a_bad_gain_and_an_empty_kernel():
    with pytest.raises(ValueError, match="gain must be a finite number ≥ 0, got nan"):
        init.delta_orthogonal_(torch.empty(2, 2, 3), math.nan)
    with pytest.raises(ValueError, match="non-empty"):
        init.delta_orthogonal_(torch.empty(2, 0, 3))


# lsuv_ ----------------------------------------------------------------------------------------------------------------


def _relu_mlp(depth=30, width=64):
    return nn.Sequential(*(module for _ in range(depth) for module in (nn.Linear(width, width), nn.ReLU())))


def _outputs(model, batch):
    """The outputs of all Linear and Conv layers, one tensor per layer, in the order of the modules."""
    outputs = []
    layers = [module for module in model.modules() if isinstance(module, (nn.Linear, nn.Conv2d))]
    hooks = [layer.register_forward_hook(lambda *args: outputs.append(args[2].double())) for layer in layers]
    with torch.no_grad():
        model(batch)
    for hook in hooks:
        hook.remove()
    return outputs


def test_lsuv_reaches_unit_variance_in_every_layer_of_a_deep_net():
    model, batch = _relu_mlp(), 3 * torch.randn(256, 64, generator=_generator(1))
    reports = init.lsuv_(model, batch, generator=_generator())
    assert [report.name for report in reports] == [str(2 * layer) for layer in range(30)]
    variances = [output.var(correction=0).item() for output in _outputs(model, batch)]
    assert variances == pytest.approx([1.0] * 30, abs=0.02)
    assert variances == pytest.approx([report.variance for report in reports], rel=1e-12)


def test_lsuv_needs_one_division_in_a_layer_that_is_called_once():
    model, batch = _relu_mlp(depth=5), 3 * torch.randn(256, 64, generator=_generator(1))
    reports = init.lsuv_(model, batch, tolerance=1e-5, generator=_generator())
    assert [report.iterations for report in reports] == [1] * 5
    assert reports[0].initial_variance == pytest.approx(9, rel=0.05)  # orthogonal: the variance of the batch


def test_lsuv_only_rescales_orthogonal_weights():
    model, batch = _relu_mlp(depth=3), torch.randn(100, 64, generator=_generator(1))
    init.lsuv_(model, batch, generator=_generator())
    for layer in model[::2]:
        gram = (layer.weight @ layer.weight.T).detach()
        torch.testing.assert_close(gram / gram[0, 0], torch.eye(64), rtol=0, atol=1e-5)
        assert not layer.bias.any()


def test_lsuv_works_on_convolutions_without_bias():
    model = nn.Sequential(nn.Conv2d(3, 8, 3, bias=False), nn.GELU(), nn.Flatten(), nn.Linear(8 * 36, 10))
    batch = torch.randn(50, 3, 8, 8, generator=_generator(1))
    init.lsuv_(model, batch, generator=_generator())
    assert [output.var().item() for output in _outputs(model, batch)] == pytest.approx([1, 1], abs=0.021)


class _Reused(nn.Module):
    """Calls its layers against the order of their names, one of them twice, another never."""

    def __init__(self):
        super().__init__()
        self.last, self.first, self.unused = nn.Linear(16, 4), nn.Linear(16, 16), nn.Linear(2, 2)

    def forward(self, x):
        return self.last(torch.tanh(self.first(torch.tanh(self.first(x)))))


def test_lsuv_follows_the_calls():
    model, batch = _Reused(), torch.randn(200, 16, generator=_generator(1))
    unused = model.unused.weight.detach().clone()
    reports = init.lsuv_(model, batch, generator=_generator())
    assert [report.name for report in reports] == ["first", "last"]
    assert torch.equal(model.unused.weight, unused)
    last, *first = sorted(_outputs(model, batch), key=lambda output: output.shape[1])
    assert last.var().item() == pytest.approx(1, abs=0.021)
    assert torch.cat(first).var().item() == pytest.approx(1, abs=0.021)


def test_lsuv_restores_every_mode_and_leaves_no_hook():
    model, batch = nn.Sequential(_relu_mlp(depth=2), nn.Dropout(0.5), nn.Linear(64, 3)), torch.randn(20, 64)
    model.train()
    model[1].eval()
    modes = [module.training for module in model.modules()]
    init.lsuv_(model, batch)
    with pytest.raises(ValueError, match="live layers"):
        init.lsuv_(model, torch.zeros(20, 64))
    with pytest.raises(RuntimeError):
        init.lsuv_(model, torch.zeros(20, 63))
    assert [module.training for module in model.modules()] == modes
    assert not any(module._forward_hooks for module in model.modules())
    assert all(parameter.requires_grad for parameter in model.parameters())


def test_lsuv_measures_without_dropout():
    model = nn.Sequential(nn.Linear(64, 64), nn.Dropout(0.5), nn.Linear(64, 64))
    batch = torch.randn(256, 64, generator=_generator(1))
    init.lsuv_(model, batch, tolerance=1e-4, generator=_generator())
    variances = [output.var(correction=0).item() for output in _outputs(model.eval(), batch)]
    assert variances == pytest.approx([1, 1], abs=1e-4)


def test_lsuv_is_determined_by_its_generator():
    first, second = _relu_mlp(depth=3), _relu_mlp(depth=3)
    batch = torch.randn(50, 64, generator=_generator(1))
    for model in (first, second):
        init.lsuv_(model, batch, generator=_generator(7))
    assert all(torch.equal(a, b) for a, b in zip(first.parameters(), second.parameters(), strict=True))


def test_lsuv_refuses_a_model_without_layers():
    with pytest.raises(ValueError, match="model must call a Linear or convolution, got ReLU with 0 of them"):
        init.lsuv_(nn.ReLU(), torch.randn(4, 4))


def test_lsuv_refuses_nan_in_the_batch():
    with pytest.raises(ValueError, match="batch must be finite, got 1 NaN"):
        init.lsuv_(nn.Linear(2, 2), torch.tensor([[0.0, math.nan]]))


def test_lsuv_names_the_dead_layer():
    model = nn.Sequential(nn.Linear(8, 8), nn.Threshold(1e6, 0.0), nn.Linear(8, 8))
    with pytest.raises(ValueError, match=r"output of layer '2' has variance 0.0"):
        init.lsuv_(model, torch.randn(20, 8, generator=_generator()))


def test_lsuv_says_when_a_layer_does_not_settle():
    class Normalized(nn.Linear):
        def forward(self, x):
            output = super().forward(x)
            return 3 * output / output.std()

    with pytest.raises(ValueError, match="max_iterations must let layer '' reach unit variance, got 4: it is at "):
        init.lsuv_(Normalized(8, 8), torch.randn(20, 8, generator=_generator()), max_iterations=4)


@pytest.mark.parametrize(("option", "value"), [("tolerance", 0.0), ("tolerance", math.nan), ("max_iterations", 0)])
def test_lsuv_names_bad_options(option, value):
    with pytest.raises(ValueError, match=f"{option} must be .* got {value}"):
        init.lsuv_(nn.Linear(2, 2), torch.randn(4, 2, generator=_generator()), **{option: value})
