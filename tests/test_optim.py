import copy
import io
import math
import pickle

import pytest
import torch
from torch import Tensor, nn

from stablenets.optim import LARS, _fused, trust_ratio

OPTIONS = {"momentum": 0.9, "weight_decay": 0.1, "trust_coefficient": 0.001}


def normal(*shape: int, seed: int = 0, dtype: torch.dtype = torch.float32) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64).to(dtype)


def parameter(weight: Tensor, gradient: Tensor | None = None) -> nn.Parameter:
    result = nn.Parameter(weight.clone())
    result.grad = None if gradient is None else gradient.clone()
    return result


def one_step(weight: Tensor, gradient: Tensor, lr: float | Tensor = 1.0, **options: object) -> Tensor:
    """Return w before minus w after a step of LARS, in float64."""
    p = parameter(weight, gradient)
    LARS([p], lr, **OPTIONS | options).step()
    return weight.double() - p.detach().double()


class Exact:
    """The algorithm in float64, re-derived from the paper's formula."""

    def __init__(self, weight: Tensor, momentum: float, weight_decay: float, trust_coefficient: float):
        self.w, self.v = weight.double(), torch.zeros_like(weight, dtype=torch.float64)
        self.m, self.beta, self.eta = momentum, weight_decay, trust_coefficient

    def step(self, gradient: Tensor, lr: float, *, adapt: bool = True, nesterov: bool = False) -> None:
        g = gradient.double()
        length = self.w.square().sum().sqrt()
        ratio = self.eta * length / (g.square().sum().sqrt() + self.beta * length) if adapt else 1.0
        move = lr * ratio * (g + self.beta * self.w)
        self.v = self.m * self.v + move
        self.w = self.w - (self.m * self.v + move if nesterov else self.v)


# --- The algorithm --------------------------------------------------------------------------------------------------


def test_the_hand_example_is_met_to_all_digits():
    p = parameter(torch.tensor([[3.0, 4.0]], dtype=torch.float64))
    optimizer = LARS([("w", p)], lr=1.0, **OPTIONS)
    expected = [
        (1 / 300, [2.997, 3.996]),
        (0.003331110370, [2.991303, 3.988404]),
        (0.003326884880, [2.983184397, 3.977579196]),
    ]
    for ratio, weights in expected:
        p.grad = torch.tensor([[0.6, 0.8]], dtype=torch.float64)
        optimizer.step()
        assert optimizer.trust_ratios()["w"] == pytest.approx(ratio, abs=5e-13)
        assert p[0].tolist() == pytest.approx(weights, abs=6e-7 if weights[0] > 2.99 else 6e-10)


@pytest.mark.parametrize("nesterov", [False, True])
def test_fifty_steps_over_eight_decades_of_gradient_scale_agree_with_float64(nesterov):
    p, exact = parameter(normal(40, 33)), Exact(normal(40, 33), **OPTIONS)
    optimizer = LARS([p], lr=1.0, **OPTIONS, nesterov=nesterov)
    for step in range(50):
        lr, gradient = 1.0 - step / 60, normal(40, 33, seed=step + 1) * 10.0 ** (step % 9 - 4)
        p.grad = gradient
        optimizer.param_groups[0]["lr"] = lr
        optimizer.step()
        exact.step(gradient, lr, nesterov=nesterov)
    assert (p.detach().double() - exact.w).norm() <= 5e-7 * exact.w.norm()


def test_a_drop_of_the_rate_leaves_the_steps_in_the_velocity_as_they_were():
    p, exact = parameter(normal(8, 8, dtype=torch.float64)), Exact(normal(8, 8, dtype=torch.float64), **OPTIONS)
    optimizer = LARS([p], lr=1.0, **OPTIONS)
    for lr in (1.0, 1.0, 0.1):
        optimizer.param_groups[0]["lr"], p.grad = lr, normal(8, 8, seed=1, dtype=torch.float64)
        optimizer.step()
        exact.step(p.grad, lr)
    torch.testing.assert_close(p.detach(), exact.w, rtol=1e-13, atol=0)


def test_without_weight_decay_it_is_still_lars():
    length = one_step(normal(8, 8), 100 * normal(8, 8, seed=1), weight_decay=0.0).norm()
    assert length.item() == pytest.approx(1e-3 * normal(8, 8).norm().item(), rel=1e-4)


def test_biases_take_plain_sgd_steps():
    weight, gradient = normal(5), normal(5, seed=1)
    p, twin = parameter(weight, gradient), parameter(weight, gradient)
    lars = LARS([p], lr=0.1, **OPTIONS)
    sgd = torch.optim.SGD([twin], lr=0.1, momentum=0.9, weight_decay=0.1)
    for _ in range(3):
        lars.step()
        sgd.step()
    torch.testing.assert_close(p, twin, rtol=1e-6, atol=1e-7)
    assert list(lars.trust_ratios().values()) == [1.0]


@pytest.mark.parametrize(("adapt", "shape", "adapted"), [("all", (6,), True), ("none", (6, 6), False)])
def test_the_rule_of_what_is_adapted_can_be_changed(adapt, shape, adapted):
    w, g = normal(*shape), normal(*shape, seed=1)
    p = parameter(w, g)
    optimizer = LARS([p], lr=1.0, **OPTIONS, adapt=adapt)
    optimizer.step()
    expected = trust_ratio(w, g, weight_decay=0.1) if adapted else 1.0
    assert list(optimizer.trust_ratios().values()) == pytest.approx([expected], rel=1e-6)


def test_maximize_descends_the_negative_gradient():
    weight, gradient = normal(8, 8), normal(8, 8, seed=1)
    assert torch.equal(one_step(weight, gradient, maximize=True), one_step(weight, -gradient))


def test_without_momentum_no_velocity_is_kept():
    p = parameter(normal(8, 8), normal(8, 8, seed=1))
    optimizer = LARS([p], lr=1.0, momentum=0.0)
    optimizer.step()
    assert set(optimizer.state[p]) == {"trust_ratio"}


# --- Trust ratios ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("scale", [1e-18, 1e-6, 7.0, 1e6, 1e18])
def test_joint_rescaling_leaves_the_trust_ratio_unchanged(scale):
    w, g = normal(30, 30), normal(30, 30, seed=1)
    ratio = trust_ratio(scale * w, scale * g, weight_decay=0.3)
    assert ratio == pytest.approx(trust_ratio(w, g, weight_decay=0.3), rel=1e-6)


@pytest.mark.parametrize("scale", [1e-25, 1e-6, 1.0, 1e6, 1e25])
def test_the_length_of_a_step_does_not_depend_on_the_scale_of_the_gradient(scale):
    length = one_step(normal(64, 64), scale * normal(64, 64, seed=1), weight_decay=0.0).norm().item()
    assert length == pytest.approx(1e-3 * normal(64, 64).norm().item(), rel=1e-4)


def test_the_smallest_gradients_of_float32_still_move_the_weights():
    tiny = torch.full((16, 16), 1e-44)
    length = one_step(torch.ones(16, 16), tiny, weight_decay=0.0).norm().item()
    assert length == pytest.approx(1e-3 * 16, rel=1e-3)


@pytest.mark.parametrize("scale", [1e-200, 1e200])
def test_norms_hold_where_the_squares_leave_float64(scale):
    w = normal(20, 20, dtype=torch.float64)
    assert trust_ratio(scale * w, w) == pytest.approx(scale * 1e-3, rel=1e-12)


def test_the_ratio_of_sixteen_million_entries_is_right_to_1e6():
    w = torch.rand(4096, 4096, generator=torch.Generator().manual_seed(0))
    exact = 1e-3 * math.sqrt(sum(row.double().square().sum().item() for row in w)) / 4096
    assert trust_ratio(w, torch.ones(4096, 4096)) == pytest.approx(exact, rel=1e-6)


def test_zero_weights_stay_zero():
    assert torch.equal(one_step(torch.zeros(4, 4), normal(4, 4)), torch.zeros(4, 4, dtype=torch.float64))


def test_at_zero_gradient_weight_decay_shrinks_by_the_rate_times_the_trust_coefficient():
    shrink = one_step(normal(9, 9, dtype=torch.float64), torch.zeros(9, 9, dtype=torch.float64), lr=0.1)
    torch.testing.assert_close(shrink, 1e-4 * normal(9, 9, dtype=torch.float64), rtol=1e-10, atol=0)


def test_at_zero_gradient_without_weight_decay_nothing_moves():
    assert one_step(normal(9, 9), torch.zeros(9, 9), weight_decay=0.0).count_nonzero() == 0


def test_trust_ratios_are_named_by_parameter_or_by_place():
    net = nn.Linear(3, 2)
    net(normal(4, 3)).sum().backward()
    by_name, by_place = LARS(net.named_parameters(), lr=1.0), LARS(net.parameters(), lr=1.0)
    assert by_name.trust_ratios() == {}
    for optimizer in (by_name, by_place):
        optimizer.step()
    assert list(by_name.trust_ratios()) == ["weight", "bias"]
    assert list(by_place.trust_ratios()) == ["parameter 0 of group 0", "parameter 1 of group 0"]


# --- Types and layouts ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_takes_the_right_step_where_the_norm_is_no_float16(dtype):
    ones = torch.ones(512, 512, dtype=dtype)
    step = one_step(ones, 200 * ones, lr=100.0, weight_decay=0.0)
    torch.testing.assert_close(step, torch.full_like(step, 0.1), rtol=2e-2, atol=0)


def test_complex_tensors_move_as_pairs_of_reals():
    w, g = torch.complex(normal(6, 6), normal(6, 6, seed=1)), torch.complex(normal(6, 6, seed=2), normal(6, 6, seed=3))
    p, pairs = parameter(w, g), parameter(torch.view_as_real(w), torch.view_as_real(g))
    for tensor in (p, pairs):
        LARS([tensor], lr=1.0, **OPTIONS).step()
    assert torch.equal(torch.view_as_real(p.detach()), pairs.detach())


def test_types_can_be_mixed():
    dtypes = [torch.float64, torch.bfloat16, torch.float32, torch.complex64]
    mixed = [parameter(torch.ones(4, 4, dtype=dtype), torch.ones(4, 4, dtype=dtype)) for dtype in dtypes]
    LARS(mixed, lr=100.0, weight_decay=0.0).step()
    for p in mixed:
        assert p.detach().to(torch.complex128).real.mean().item() == pytest.approx(0.9, rel=4e-3)


@pytest.mark.parametrize("lay_out", [lambda t: t.mT, lambda t: t[:, ::2], lambda t: t.contiguous().mT.contiguous().mT])
def test_the_layout_in_memory_does_not_matter(lay_out):
    w, g = lay_out(normal(12, 12)), lay_out(normal(12, 12, seed=1))
    p = nn.Parameter(w)
    p.grad = g
    before = w.clone()
    LARS([p], lr=1.0, **OPTIONS).step()
    torch.testing.assert_close(before.double() - p.detach().double(), one_step(before.contiguous(), g.contiguous()))


@pytest.mark.parametrize("shape", [(4, 2, 3, 3), (16, 16, 4, 4), (64, 64, 4, 4)])
def test_convolutions_may_keep_their_channels_last(shape):
    w, g = normal(*shape), normal(*shape, seed=1)
    last = {"memory_format": torch.channels_last}
    p = parameter(w.contiguous(**last), g.contiguous(**last))
    LARS([p], lr=1.0, **OPTIONS).step()
    torch.testing.assert_close(w.double() - p.detach().double(), one_step(w, g), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("rate", [1e-12, 1e-6, 1.0, 1e6])
@pytest.mark.parametrize("m", [0.0, 0.9])
def test_the_plain_loop_gives_what_the_fused_update_gives(monkeypatch, rate, m):
    results = []
    for fused in (_fused.FUSED, None):
        monkeypatch.setattr(_fused, "FUSED", fused)
        p = parameter(normal(37, 11))
        optimizer = LARS([p], lr=1.0, **OPTIONS | {"momentum": m, "weight_decay": 0.0})
        for step in range(5):
            p.grad = normal(37, 11, seed=step + 1) / rate
            optimizer.step()
        results.append(p.detach())
    torch.testing.assert_close(*results, rtol=1e-6, atol=1e-6)


def test_the_fused_update_is_used_for_float32(monkeypatch):
    calls = []
    fused = _fused.FUSED
    monkeypatch.setattr(_fused, "FUSED", lambda *args, **options: calls.append(1) or fused(*args, **options))
    one_step(normal(8, 8), normal(8, 8, seed=1))
    assert calls


def test_sparse_gradients_are_refused_by_name():
    embedding = nn.Embedding(5, 3, sparse=True)
    embedding(torch.tensor([1])).sum().backward()
    with pytest.raises(ValueError, match=r"weight must have a dense gradient, got torch\.sparse_coo"):
        LARS(embedding.named_parameters(), lr=1.0).step()


# --- Weights that are given other data ------------------------------------------------------------------------------

ELSEWHERE = {"cuda": lambda w: w.to("cuda")} if torch.cuda.is_available() else {}
CHANGES = {
    "shape": lambda w: w.view(6, 4),
    "shape and dimensions": lambda w: w.view(24),
    "strides": lambda w: w.mT.contiguous().mT,
    "wider type": lambda w: w.double(),
    "narrower type": lambda w: w.bfloat16(),
    "memory": lambda w: w.clone(),
    **ELSEWHERE,
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
@pytest.mark.parametrize("nesterov", [False, True])
def test_weights_can_be_given_other_data_between_two_steps(change, nesterov):
    options = OPTIONS | {"nesterov": nesterov, "adapt": "all"}
    changed, same, twin = (parameter(normal(4, 6), normal(4, 6, seed=1)) for _ in range(3))
    optimizer, alone = LARS([changed, same], lr=1.0, **options), LARS([twin], lr=1.0, **options)
    optimizer.step()
    alone.step()
    changed.grad = None
    changed.data = change(changed.data)
    changed.grad = change(normal(4, 6, seed=2))
    same.grad, twin.grad = normal(4, 6, seed=2), normal(4, 6, seed=2)
    optimizer.step()
    alone.step()
    assert torch.equal(same, twin)
    velocity = optimizer.state[changed]["momentum_buffer"]
    assert (velocity.shape, velocity.dtype, velocity.device) == (changed.shape, changed.dtype, changed.device)
    expected = change(twin.data)
    torch.testing.assert_close(
        changed.data, expected, rtol=1e-6 if expected.dtype != torch.bfloat16 else 1e-2, atol=1e-6
    )


def test_types_of_equal_width_can_be_exchanged_in_place():
    halves = [parameter(torch.ones(4, 4, dtype=torch.float16), torch.ones(4, 4, dtype=torch.float16)) for _ in range(2)]
    optimizer = LARS(halves, lr=1.0, momentum=0.0)
    optimizer.step()
    halves[0].grad = None
    halves[0].data = halves[0].data.view(torch.bfloat16)
    halves[0].grad = torch.ones(4, 4, dtype=torch.bfloat16)
    optimizer.step()
    assert all(half.isfinite().all() for half in halves)


@pytest.mark.parametrize(
    ("stale", "message"),
    [
        ("gradient", r"w has the shape \(6, 4\), and must have a gradient of the same shape, got \(4, 6\)"),
        (
            "momentum_buffer",
            r"w has the shape \(2, 2\), and must have a momentum_buffer of the same shape, got \(4, 6\)",
        ),
    ],
)
def test_what_no_longer_fits_a_weight_is_named_at_every_step(stale, message):
    w, other = parameter(normal(4, 6), normal(4, 6)), parameter(normal(4, 6), normal(4, 6))
    optimizer = LARS([("w", w), ("other", other)], lr=1.0)
    optimizer.step()
    if stale == "gradient":
        w.data = w.data.view(6, 4)
    else:
        w.grad = None
        w.data = normal(2, 2)
        w.grad = normal(2, 2)
    before = other.detach().clone()
    for _ in range(2):
        with pytest.raises(ValueError, match=message):
            optimizer.step()
    assert torch.equal(other, before)


# --- What a step leaves alone ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("maximize", [False, True])
def test_the_gradient_is_bit_identical_afterwards(maximize):
    p = parameter(normal(33, 7), normal(33, 7, seed=1))
    LARS([p], lr=1.0, **OPTIONS, maximize=maximize).step()
    assert torch.equal(p.grad, normal(33, 7, seed=1))


def test_parameters_without_gradient_are_left_alone():
    p = parameter(normal(3, 3))
    optimizer = LARS([p], lr=1.0)
    optimizer.step()
    assert torch.equal(p, normal(3, 3))
    assert optimizer.trust_ratios() == {}


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("place", ["weight", "bias"])
def test_a_gradient_that_is_not_finite_stops_the_step_before_anything_is_written(bad, place):
    net = nn.Linear(4, 3)
    optimizer = LARS(net.named_parameters(), lr=1.0)
    net(torch.ones(2, 4)).sum().backward()
    optimizer.step()
    net.get_parameter(place).grad.view(-1)[1] = bad
    before = copy.deepcopy((list(net.parameters()), optimizer.state_dict()))
    with pytest.raises(ValueError, match=f"{place} must be finite with a finite gradient"):
        optimizer.step()
    assert all(map(torch.equal, net.parameters(), before[0]))
    assert_same_state(optimizer.state_dict(), before[1])


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_a_gradient_that_is_not_finite_can_be_skipped(bad):
    broken, sound = parameter(normal(4, 4), normal(4, 4, seed=1)), parameter(normal(4, 4), normal(4, 4, seed=1))
    broken.grad[0, 0] = bad
    optimizer = LARS([("broken", broken), ("sound", sound)], lr=1.0, non_finite="skip")
    optimizer.step()
    assert torch.equal(broken, normal(4, 4))
    assert not torch.equal(sound, normal(4, 4))
    assert math.isnan(optimizer.trust_ratios()["broken"])


# --- The optimizer's protocol ---------------------------------------------------------------------------------------


def assert_same_state(one: dict, other: dict) -> None:
    assert one["param_groups"] == other["param_groups"]
    assert one["state"].keys() == other["state"].keys()
    for index, state in one["state"].items():
        assert torch.equal(state["momentum_buffer"], other["state"][index]["momentum_buffer"])
        assert state["trust_ratio"] == other["state"][index]["trust_ratio"]


def walk(net: nn.Module, optimizer: LARS, seeds: range) -> list[Tensor]:
    for seed in seeds:
        optimizer.zero_grad()
        net(normal(8, 6, seed=seed)).square().mean().backward()
        optimizer.step()
    return [p.detach().clone() for p in net.parameters()]


def network() -> nn.Module:
    net = nn.Sequential(nn.Linear(6, 9), nn.Tanh(), nn.Linear(9, 2))
    with torch.no_grad():
        for seed, p in enumerate(net.parameters()):
            p.copy_(normal(*p.shape, seed=seed))
    return net


def test_training_resumes_to_the_bit_from_a_state_dict_saved_as_plain_data():
    net = network()
    optimizer = LARS(net.parameters(), lr=0.5, **OPTIONS)
    walk(net, optimizer, range(5))
    file = io.BytesIO()
    torch.save((net.state_dict(), optimizer.state_dict()), file)
    expected = walk(net, optimizer, range(5, 10))

    weights, state = torch.load(io.BytesIO(file.getvalue()), weights_only=True)
    resumed = network()
    resumed.load_state_dict(weights)
    optimizer = LARS(resumed.parameters(), lr=9.0)
    optimizer.load_state_dict(state)
    assert all(map(torch.equal, walk(resumed, optimizer, range(5, 10)), expected))


def test_the_momentum_buffer_is_the_velocity():
    p = parameter(normal(7, 7), normal(7, 7, seed=1))
    before = p.detach().clone()
    optimizer = LARS([p], lr=1.0, **OPTIONS)
    optimizer.step()
    torch.testing.assert_close(optimizer.state[p]["momentum_buffer"], before - p.detach(), rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda pair: pickle.loads(pickle.dumps(pair))])
def test_copies_walk_the_same_path(copied):
    net = network()
    pair = net, LARS(net.parameters(), lr=0.5, **OPTIONS)
    walk(*pair, range(3))
    assert all(map(torch.equal, walk(*copied(pair), range(3, 6)), walk(*pair, range(3, 6))))


def test_groups_have_options_of_their_own():
    one, other = parameter(normal(4, 4), normal(4, 4, seed=1)), parameter(normal(4, 4), normal(4, 4, seed=1))
    optimizer = LARS([{"params": [one]}], lr=1.0, **OPTIONS)
    optimizer.add_param_group({"params": [other], "lr": 0.5, "trust_coefficient": 0.01, "adapt": "all"})
    optimizer.step()
    moved = [normal(4, 4).double() - p.detach().double() for p in (one, other)]
    torch.testing.assert_close(moved[1], 5 * moved[0], rtol=1e-2, atol=1e-6)


def test_the_learning_rate_can_be_a_tensor():
    w, g = normal(4, 4), normal(4, 4, seed=1)
    assert torch.equal(one_step(w, g, lr=torch.tensor(0.5)), one_step(w, g, lr=0.5))


def test_schedulers_set_the_rate():
    p = parameter(normal(4, 4), normal(4, 4, seed=1))
    optimizer = LARS([p], lr=1.0, **OPTIONS | {"momentum": 0.0})
    schedule = torch.optim.lr_scheduler.StepLR(optimizer, step_size=1, gamma=0.1)
    steps = []
    for _ in range(2):
        before = p.detach().clone()
        optimizer.step()
        schedule.step()
        steps.append((before - p.detach()).norm().item())
    assert steps[1] / steps[0] == pytest.approx(0.1, rel=1e-2)


def test_a_closure_runs_with_gradients_and_its_loss_is_returned():
    p = parameter(normal(4, 4))
    optimizer = LARS([p], lr=1.0)

    def closure() -> Tensor:
        optimizer.zero_grad()
        loss = p.square().sum()
        loss.backward()
        return loss

    with torch.no_grad():
        loss = optimizer.step(closure)
    assert loss.item() == pytest.approx(normal(4, 4).square().sum().item())
    assert not torch.equal(p, normal(4, 4))


# --- Bad options ----------------------------------------------------------------------------------------------------

BAD = [
    ({"lr": math.nan}, "lr must be a finite number ≥ 0, got nan"),
    ({"lr": -1.0}, "lr must be a finite number ≥ 0, got -1.0"),
    ({"lr": torch.tensor(math.inf)}, "lr must be a finite number ≥ 0, got inf"),
    ({"lr": torch.ones(2)}, "lr must be a finite number ≥ 0"),
    ({"momentum": 1.0}, "momentum must be below 1, got 1.0"),
    ({"momentum": -0.1}, "momentum must be a finite number ≥ 0, got -0.1"),
    ({"weight_decay": math.nan}, "weight_decay must be a finite number ≥ 0, got nan"),
    ({"trust_coefficient": -1.0}, "trust_coefficient must be a positive finite number, got -1.0"),
    ({"trust_coefficient": 0.0}, "trust_coefficient must be a positive finite number, got 0.0"),
    ({"nesterov": True, "momentum": 0.0}, "momentum must be positive where nesterov is True, got 0"),
    ({"adapt": "biases"}, "adapt must be one of 'weights', 'all', 'none', got 'biases'"),
    ({"non_finite": "ignore"}, "non_finite must be one of 'raise', 'skip', got 'ignore'"),
]


@pytest.mark.parametrize(("option", "message"), BAD)
def test_bad_options_are_refused_at_once(option, message):
    with pytest.raises(ValueError, match=message):
        LARS([parameter(normal(2, 2))], **{"lr": 1.0} | option)


@pytest.mark.parametrize(("option", "message"), BAD)
def test_bad_options_of_a_group_are_refused(option, message):
    optimizer = LARS([parameter(normal(2, 2))], lr=1.0)
    with pytest.raises(ValueError, match=message):
        optimizer.add_param_group({"params": [parameter(normal(2, 2))]} | option)
    assert len(optimizer.param_groups) == 1


def test_a_rate_that_became_nan_stops_the_step():
    p = parameter(normal(2, 2), normal(2, 2))
    optimizer = LARS([p], lr=1.0)
    optimizer.param_groups[0]["lr"] = math.nan
    with pytest.raises(ValueError, match="lr must be a finite number"):
        optimizer.step()
    assert torch.equal(p, normal(2, 2))


def test_truth_values_are_checked():
    with pytest.raises(TypeError, match="nesterov must be True or False, got 'yes'"):
        LARS([parameter(normal(2, 2))], lr=1.0, nesterov="yes")


@pytest.mark.parametrize(("weight", "gradient"), [(math.nan, 1.0), (1.0, math.inf)])
def test_trust_ratio_refuses_what_is_not_finite(weight, gradient):
    with pytest.raises(ValueError, match="must be finite, got 1 NaN or infinite of 1 entries"):
        trust_ratio(torch.tensor([weight]), torch.tensor([gradient]))
