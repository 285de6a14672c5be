import math

import pytest
import torch
from matrices import mlp
from torch import Tensor, nn
from torch.nn import functional

from stablenets.propagation import Moments, gradient_norms


@pytest.fixture(autouse=True)
def _one_seed():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        yield


def second_moment(*tensors: Tensor) -> float:
    return torch.cat([t.detach().double().flatten() for t in tensors]).square().mean().item()


def hooks_of(model: nn.Module) -> int:
    return sum(
        len(hooks)
        for module in model.modules()
        for hooks in (module._forward_hooks, module._forward_pre_hooks, module._backward_hooks)
    )


class Calls(nn.Module):
    """A network whose forward pass is the given function of its layers and the input."""

    def __init__(self, call, **layers: nn.Module):
        super().__init__()
        self.call = call
        for name, layer in layers.items():
            self.add_module(name, layer)

    def forward(self, x: Tensor):
        return self.call(self, x)


# --- Moments: values ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("model", "shape"),
    [
        (mlp(30, 300, 200, 10), (64, 30)),
        (mlp(7, 1, 3, activation=nn.ReLU), (5, 7)),
        (
            nn.Sequential(nn.Conv2d(3, 8, 3), nn.GELU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(1352, 4)),
            (9, 3, 28, 28),
        ),
        (nn.Sequential(nn.Linear(20, 50), nn.BatchNorm1d(50), nn.ReLU(), nn.Linear(50, 5)), (33, 20)),
        (nn.Sequential(nn.Embedding(11, 40), nn.LayerNorm(40), nn.Linear(40, 6)), None),
    ],
    ids=["mlp", "narrow", "conv", "batch-norm", "embedding"],
)
def test_moments_equal_their_float64_recomputation(model, shape):
    h = torch.randint(11, (16, 5)) if shape is None else torch.randn(shape)
    outputs = []
    with Moments(model) as moments:
        for layer in model:
            h = layer(h)
            h.retain_grad()
            outputs.append(h)
        functional.cross_entropy(h.flatten(1), torch.zeros(len(h), dtype=torch.long)).backward()
    assert [layer.name for layer in moments.layers] == [str(i) for i in range(len(model))]
    for layer, output in zip(moments.layers, outputs, strict=True):
        assert layer.calls == 1
        assert layer.forward == pytest.approx(second_moment(output), rel=3e-6)
        assert layer.backward == pytest.approx(second_moment(output.grad), rel=3e-6, abs=0)
        scale = math.sqrt(layer.forward)
        assert layer.forward_mean == pytest.approx(output.double().mean().item(), abs=3e-6 * scale)


@pytest.mark.parametrize("size", [1, 255, 256, 257, 4096, 1_000_003])
@pytest.mark.parametrize("small", [0.0, 2e-4, 1.0])
def test_error_stays_below_3e6_when_one_entry_outweighs_thousands(size, small):
    x = torch.full((size,), small)
    x[::5000] = 1.0
    model = nn.Identity()
    with Moments(model) as moments:
        model(x)
    assert moments.layers[0].forward == pytest.approx(second_moment(x), rel=3e-6)


@pytest.mark.parametrize("size", [3, 5000])
@pytest.mark.parametrize("scale", [1e-38, 1e-25, 1e-19, 1e18, 1e25, 1e38])
def test_squares_beyond_float32_neither_vanish_nor_overflow(scale, size):
    model = nn.Identity()
    x = (scale * torch.linspace(1.0, 2.0, size)).requires_grad_()
    weights = scale * torch.linspace(2.0, 1.0, size)
    with Moments(model) as moments:
        model(x).backward(weights)
    (layer,) = moments.layers
    assert layer.forward == pytest.approx(second_moment(x), rel=3e-6, abs=0)
    assert layer.forward_mean == pytest.approx(x.double().mean().item(), rel=3e-6, abs=0)
    assert layer.backward == pytest.approx(second_moment(weights), rel=3e-6, abs=0)


def test_mixed_tiny_and_zero_entries_are_right_too():
    x = torch.zeros(3000)
    x[::7] = 1e-22
    model = nn.Identity()
    with Moments(model) as moments:
        model(x)
    assert moments.layers[0].forward == pytest.approx(second_moment(x), rel=3e-6, abs=0)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_16_bit_outputs_are_summed_in_more_than_16_bits(dtype):
    model = mlp(40, 300, 5).to(dtype)
    x = torch.randn(64, 40, dtype=dtype)
    with Moments(model) as moments:
        hidden = model[0](x)
        hidden.retain_grad()
        model[2](model[1](hidden)).float().square().sum().backward()
    assert moments.layers[0].forward == pytest.approx(second_moment(hidden), rel=3e-6)
    assert moments.layers[0].backward == pytest.approx(second_moment(hidden.grad), rel=3e-6)


def test_float64_networks_are_measured_in_float64():
    model = mlp(5, 700, 2).double()
    x = torch.randn(9, 5, dtype=torch.float64)
    with Moments(model) as moments:
        hidden = model[0](x)
    assert moments.layers[0].forward == pytest.approx(second_moment(hidden), rel=1e-13)


def test_gradients_that_are_expanded_or_transposed_are_read_right():
    model = nn.Sequential(nn.Linear(4, 300))
    with Moments(model) as moments:
        model(torch.randn(6, 4)).T.sum().backward()  # the gradient of a sum has stride 0
    assert moments.layers[0].backward == pytest.approx(1.0)


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_nan_and_infinity_are_reported(value):
    model = nn.Sequential(nn.Linear(2, 300), nn.Identity())
    x = torch.ones(3, 2)
    x[0, 0] = value
    with Moments(model) as moments:
        model(x).backward(torch.full((3, 300), value))
    for layer in moments.layers:
        assert not math.isfinite(layer.forward)
        assert not math.isfinite(layer.forward_mean)
        assert layer.backward == pytest.approx(value, nan_ok=True)


def test_an_empty_output_has_moments_nan():
    model = nn.Linear(3, 2)
    with Moments(model) as moments:
        model(torch.zeros(0, 3))
    assert math.isnan(moments.layers[0].forward)
    assert math.isnan(moments.layers[0].forward_mean)


# --- Moments: ways to use modules -----------------------------------------------------------------------------------


def test_a_reused_module_pools_its_calls():
    outputs = []

    def call(net, x):
        for _ in range(2):
            x = net.layer(x)
            x.retain_grad()
            outputs.append(x)
        return x

    model = Calls(call, layer=nn.Linear(5, 5))
    with Moments(model) as moments:
        model(torch.randn(7, 5)).square().sum().backward()
    (layer,) = moments.layers
    assert layer.calls == 2
    assert layer.forward == pytest.approx(second_moment(*outputs), rel=3e-6)
    assert layer.backward == pytest.approx(second_moment(*(h.grad for h in outputs)), rel=3e-6)


def test_calls_of_different_size_are_weighted_by_their_entries():
    model = nn.Identity()
    with Moments(model) as moments:
        model(torch.ones(3))
        model(torch.full((1,), 3.0))
    assert moments.layers == [("Identity", 2, 3.0, 1.5, None)]


def test_modules_that_share_a_parameter_are_measured_apart():
    model = nn.Sequential(nn.Linear(4, 4), nn.Tanh(), nn.Linear(4, 4))
    model[2].weight = model[0].weight
    x = torch.randn(8, 4)
    with Moments(model, nn.Linear) as moments:
        first = model[0](x)
        last = model[2](model[1](first))
        last.sum().backward()
    assert [layer.name for layer in moments.layers] == ["0", "2"]
    assert [layer.forward for layer in moments.layers] == pytest.approx([second_moment(first), second_moment(last)])


def test_all_tensors_of_a_tuple_count():
    lstm = nn.LSTM(3, 4)
    with Moments(lstm) as moments:
        output, (h, c) = lstm(torch.randn(6, 2, 3))
        (output.sum() + 2 * c.sum()).backward()
    (layer,) = moments.layers
    assert layer.forward == pytest.approx(second_moment(output, h, c), rel=3e-6)
    # h received no gradient: the average is over the entries of the other two.
    assert layer.backward == pytest.approx(second_moment(torch.ones_like(output), 2 * torch.ones_like(c)), rel=3e-6)


def test_dictionaries_count_and_integers_do_not():
    model = Calls(lambda net, x: {"values": x, "order": [x.argsort()]})
    with Moments(model) as moments:
        model(torch.tensor([1.0, 3.0]))
    assert moments.layers == [("Calls", 1, 5.0, 2.0, None)]


def test_a_module_without_floating_point_output_is_left_out():
    model = Calls(lambda net, x: x.argmax())
    with Moments(model) as moments:
        model(torch.tensor([1.0, 3.0]))
    assert moments.layers == []


def test_backward_is_none_where_the_output_is_not_used_in_the_loss():
    model = Calls(lambda net, x: (net.used(x), net.unused(x))[0], used=nn.Linear(2, 2), unused=nn.Linear(2, 2))
    with Moments(model) as moments:
        model(torch.ones(1, 2)).sum().backward()
    assert [(layer.name, layer.backward) for layer in moments.layers] == [("used", 1.0), ("unused", None)]


def test_a_zero_gradient_is_zero_and_not_none():
    model = mlp(2, 3, 1)
    nn.init.zeros_(model[2].weight)
    with Moments(model) as moments:
        model(torch.ones(4, 2)).sum().backward()
    assert [layer.backward for layer in moments.layers] == [0.0, 0.0, 1.0]


def test_a_module_that_is_never_called_is_not_listed():
    model = Calls(lambda net, x: net.a(x), a=nn.Identity(), b=nn.Identity())
    with Moments(model) as moments:
        model(torch.ones(1))
    assert [layer.name for layer in moments.layers] == ["a"]


def test_without_gradients_only_backward_is_missing():
    model = nn.Sequential(nn.Linear(3, 4), nn.Dropout(), nn.ReLU()).eval()
    with torch.no_grad(), Moments(model) as moments:
        model(torch.randn(5, 3))
    assert [layer.backward for layer in moments.layers] == [None] * 3
    assert moments.layers[0].forward == moments.layers[1].forward > moments.layers[2].forward > 0
    assert not model.training


def test_frozen_layers_have_gradients_only_after_a_trained_one():
    model = mlp(3, 4, 4, 2)
    model[0].requires_grad_(False)
    model[4].requires_grad_(False)
    with Moments(model, nn.Linear) as moments:
        model(torch.randn(5, 3)).sum().backward()
    first, middle, last = (layer.backward for layer in moments.layers)
    assert first is None
    assert middle > 0
    assert last == 1.0


def test_a_model_without_parameters_is_measured():
    model = nn.Sequential(nn.ReLU(), nn.Tanh())
    x = torch.tensor([2.0, -1.0], requires_grad=True)
    with Moments(model) as moments:
        model(x).sum().backward()
    assert moments.layers[0][:4] == ("0", 1, 2.0, 1.0)
    assert moments.layers[0].backward == pytest.approx(second_moment(1 - torch.tanh(torch.tensor([2.0, 0.0])) ** 2))


@pytest.mark.parametrize("activation", [nn.ReLU, nn.SiLU, nn.Hardtanh, nn.LeakyReLU])
def test_in_place_activations_are_measured_as_the_others(activation):
    def measure(inplace: bool) -> list:
        torch.manual_seed(1)
        layers = [nn.Linear(5, 6), nn.Identity(), activation(inplace=inplace), nn.Linear(6, 6), nn.ELU(inplace=inplace)]
        model = nn.Sequential(*layers)
        with Moments(model) as moments:
            model(torch.randn(9, 5)).square().sum().backward()
        return moments.layers

    for in_place, other in zip(measure(True), measure(False), strict=True):
        assert in_place[:2] == other[:2]
        assert in_place[2:] == pytest.approx(other[2:], rel=1e-6)


def test_only_a_view_that_is_changed_in_place_lacks_its_gradient():
    model = nn.Sequential(nn.Linear(5, 6), nn.Unflatten(1, (3, 2)), nn.ReLU(inplace=True))
    with Moments(model) as moments:
        model(torch.randn(9, 5)).sum().backward()
    linear, view, relu = moments.layers
    assert linear.forward == view.forward > relu.forward
    assert (view.backward, relu.backward) == (None, pytest.approx(1.0))
    assert linear.backward == pytest.approx(0.5, abs=0.3)  # the share of living units


def test_residual_branches_receive_the_whole_gradient():
    model = Calls(lambda net, x: (h := net.a(x)) + net.b(h), a=nn.Linear(1, 1), b=nn.Linear(1, 1))
    nn.init.constant_(model.b.weight, 2.0)
    with Moments(model) as moments:
        model(torch.ones(4, 1)).sum().backward()
    assert [layer.backward for layer in moments.layers] == [9.0, 1.0]  # δ_a = 1 + 2


def test_measuring_changes_neither_outputs_nor_gradients():
    model, x = mlp(4, 6, 3), torch.randn(5, 4)
    loss = model(x).square().sum()
    expected = torch.autograd.grad(loss, model.parameters())
    with Moments(model):
        measured_loss = model(x).square().sum()
        measured_loss.backward()
    assert measured_loss.item() == loss.item()
    assert all(torch.equal(p.grad, g) for p, g in zip(model.parameters(), expected, strict=True))


# --- Moments: the block ---------------------------------------------------------------------------------------------


def test_no_hook_is_left_behind():
    model = mlp(3, 4, 2)
    with Moments(model):
        assert hooks_of(model) == 3
        output = model(torch.randn(2, 3))
        assert len(output._backward_hooks) == 1
    assert hooks_of(model) == 0
    assert not output._backward_hooks


def test_an_exception_is_passed_on_and_leaves_no_hook_behind():
    model = mlp(3, 4, 2)
    moments = Moments(model)
    with pytest.raises(RuntimeError, match="mat1 and mat2"), moments:
        model(model(torch.randn(2, 3)))
    assert hooks_of(model) == 0
    assert [layer.calls for layer in moments.layers] == [1] * 3


def test_hooks_of_others_stay():
    model = nn.Linear(2, 2)
    model.register_forward_hook(lambda module, inputs, output: 2 * output)
    x = torch.ones(1, 2)
    with Moments(model) as moments:
        output = model(x)
    assert hooks_of(model) == 1
    assert moments.layers[0].forward == pytest.approx(second_moment(output))


def test_backward_after_the_block_is_not_measured():
    model = mlp(3, 2)
    with Moments(model) as moments:
        loss = model(torch.randn(2, 3)).sum()
    loss.backward()
    assert moments.layers[0].backward is None


def test_two_nested_blocks_measure_the_same():
    model = mlp(3, 4, 2)
    with Moments(model) as outer:
        model(torch.zeros(1, 3)).sum().backward()
        with Moments(model) as inner:
            model(torch.randn(5, 3)).sum().backward()
        assert hooks_of(model) == 3
    assert [layer.calls for layer in outer.layers] == [2] * 3
    assert [layer.calls for layer in inner.layers] == [1] * 3
    assert hooks_of(model) == 0


def test_a_second_block_starts_anew():
    model = nn.Identity()
    moments = Moments(model)
    for value in (1.0, 2.0):
        with moments:
            model(torch.full((3,), value))
        assert moments.layers == [("Identity", 1, value**2, value, None)]


def test_one_moments_cannot_be_nested_in_itself():
    model = nn.Identity()
    moments = Moments(model)
    with moments, pytest.raises(RuntimeError, match="already measuring"):
        moments.__enter__()
    assert hooks_of(model) == 0


def test_modules_select_classes_blocks_included():
    model = nn.Sequential(nn.Sequential(nn.Linear(2, 2), nn.ReLU()), nn.Linear(2, 2))

    def names(modules):
        with Moments(model, modules) as moments:
            model(torch.ones(1, 2))
        return [layer.name for layer in moments.layers]

    assert names(None) == ["0.0", "0.1", "1"]
    assert names(nn.Linear) == ["0.0", "1"]
    assert names((nn.Linear, nn.ReLU)) == ["0.0", "0.1", "1"]
    assert names(nn.Sequential) == ["0", "Sequential"]


@pytest.mark.parametrize("model", [nn.Sequential(), nn.ModuleList(), nn.Sequential(nn.Sequential())])
def test_nothing_to_measure_is_an_error(model):
    with pytest.raises(ValueError, match="model must hold a module to measure"):
        Moments(model)


def test_a_filter_without_a_match_is_an_error():
    with pytest.raises(ValueError, match="Conv2d"):
        Moments(mlp(2, 2), nn.Conv2d)


@pytest.mark.parametrize("modules", ["Linear", nn.Linear(1, 1), (nn.Linear, int), [nn.Linear]])
def test_modules_must_be_module_classes(modules):
    with pytest.raises(TypeError, match="modules must be"):
        Moments(mlp(2, 2), modules)


@pytest.mark.parametrize("function", [Moments, gradient_norms])
def test_model_must_be_a_module(function):
    with pytest.raises(TypeError, match=r"model must be a torch.nn.Module, got function"):
        function(lambda x: x)


# --- gradient_norms -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("scale", [1e-30, 1e-25, 1.0, 1e25, 1e30])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float64])
def test_gradient_norms_neither_underflow_nor_overflow(scale, dtype):
    layer = nn.Linear(64, 64).to(dtype)
    layer.weight.grad = (scale * torch.randn(64, 64)).to(dtype)
    layer.bias.grad = torch.full((64,), scale, dtype=dtype)
    weight, bias = gradient_norms(layer)
    exact = layer.weight.grad.double().square().sum().sqrt().item()
    size = layer.weight.detach().double().square().sum().sqrt().item()
    assert weight.name == "weight"
    assert weight.norm == pytest.approx(exact, rel=1e-12, abs=0)
    assert weight.relative == pytest.approx(exact / size, rel=1e-12, abs=0)
    assert bias.norm == pytest.approx(8 * layer.bias.grad[0].item(), rel=1e-12, abs=0)


def test_a_parameter_without_gradient_has_norm_none():
    model = mlp(2, 3, 1)
    model[0].requires_grad_(False)
    model(torch.ones(1, 2)).sum().backward()
    norms = gradient_norms(model)
    assert [norm.name for norm in norms] == ["0.weight", "0.bias", "2.weight", "2.bias"]
    assert norms[0][1:] == norms[1][1:] == (None, None)
    assert norms[3].norm == 1.0


def test_nan_gradients_and_zero_parameters_are_visible():
    layer = nn.Linear(2, 1)
    nn.init.zeros_(layer.bias)
    layer.weight.grad = torch.tensor([[math.nan, 1.0]])
    layer.bias.grad = torch.ones(1)
    weight, bias = gradient_norms(layer)
    assert math.isnan(weight.norm)
    assert math.isnan(weight.relative)
    assert bias.relative == math.inf


def test_sparse_gradients_have_norms():
    embedding = nn.Embedding(10, 2, sparse=True)
    embedding(torch.tensor([3, 3])).sum().backward()
    assert gradient_norms(embedding)[0].norm == pytest.approx(math.sqrt(8))


def test_shared_parameters_are_listed_once():
    model = nn.Sequential(nn.Linear(2, 2, bias=False), nn.Linear(2, 2, bias=False))
    model[1].weight = model[0].weight
    assert len(gradient_norms(model)) == 1


def test_gradient_norms_of_nothing_are_an_error():
    with pytest.raises(ValueError, match="model must have parameters, got none in ReLU"):
        gradient_norms(nn.ReLU())
