"""Right answers written in other ways get full marks, and what a notebook's check accepts a grader accepts."""

import time
from textwrap import dedent

import pytest
from sandboxed import PATIENCE, Patient, asked, needs_bubblewrap

from stablenets.checks import check
from stablenets.checks.exercise import EXERCISES
from stablenets.grading import grade

SEED = 123_456_789
# Of a patient session, in which only a cell that hangs has the seconds of a cell.
TIMES = {"cell_seconds": 1, "call_seconds": PATIENCE, "total_seconds": PATIENCE}
pytestmark = needs_bubblewrap


@pytest.fixture(autouse=True)
def patient(monkeypatch):
    monkeypatch.setattr(grade, "Session", Patient)


def marked(box, exercise, cells):
    marks, notes = grade.mark(box, cells, asked(EXERCISES[exercise].chapter, exercise), lambda id: SEED, **TIMES)
    return [mark.message for mark in marks if mark.points < mark.maximum], notes


# Each in its own chapter's words, but not in the way of the master.
ANSWERS = {
    ("holm-correction", "numpy and loops"): """\
        import numpy as np
        def holm(p_values):
            p = np.asarray(p_values)
            adjusted, highest = np.zeros_like(p), 0
            for rank, i in enumerate(np.argsort(p)):
                highest = max(highest, min(1, (len(p) - rank) * p[i]))
                adjusted[i] = highest
            return adjusted
    """,
    ("holm-correction", "list of numpy scalars"): """\
        import numpy as np
        def holm(p):
            p = p.numpy()
            ranked = sorted(p)
            factors = range(len(p), 0, -1)
            return [np.float64(max(min(1, f * r) for f, r in zip(factors, ranked) if r <= q)) for q in p]
    """,
    ("holm-correction", "what it got is changed in place"): """\
        import torch
        def holm(p_values):
            values, order = p_values.sort()
            values *= torch.arange(len(values), 0, -1)
            p_values[order] = torch.cummax(values, 0)[0].clamp_(max=1.)
            return p_values
    """,
    ("mmd-unbiased", "three loops, a number"): """\
        import math
        def kernel(a, b, s): return math.exp(-sum((x - y) ** 2 for x, y in zip(a, b)) / (2 * s * s))
        def mmd_squared(source, target, bandwidth):
            p, q = source.tolist(), target.tolist()
            def within(r):
                return sum(kernel(a, b, bandwidth) for a in r for b in r if a is not b) / (len(r) * (len(r) - 1))
            across = sum(kernel(a, b, bandwidth) for a in p for b in q) / (len(p) * len(q))
            return within(p) + within(q) - 2 * across
    """,
    ("mmd-unbiased", "scipy"): """\
        from scipy.spatial.distance import cdist, pdist
        import numpy as np
        def mmd_squared(x, y, s):
            k = lambda d: np.exp(-d / (2 * s ** 2)).mean()
            return k(pdist(x, 'sqeuclidean')) + k(pdist(y, 'sqeuclidean')) - 2 * k(cdist(x, y, 'sqeuclidean'))
    """,
    ("lars-step", "in place, with an optimizer of its own"): """\
        import torch
        class LARS(torch.optim.Optimizer):
            def __init__(self, params, **defaults): super().__init__(params, defaults)
            @torch.no_grad()
            def step(self):
                for group in self.param_groups:
                    for w in group['params']:
                        state = self.state[w]
                        v = state.setdefault('v', torch.zeros_like(w))
                        ratio = group['eta'] * w.norm() / (w.grad.norm() + group['decay'] * w.norm())
                        v.mul_(group['momentum']).add_((w.grad + group['decay'] * w) * ratio * group['lr'])
                        w -= v
        def lars_steps(weights, gradients, learning_rates, momentum, weight_decay, trust_coefficient):
            parameters = [torch.nn.Parameter(w) for w in weights]
            optimizer = LARS(parameters, lr=0., momentum=momentum, decay=weight_decay, eta=trust_coefficient)
            for lr, layer in zip(learning_rates, gradients):
                optimizer.param_groups[0]['lr'] = lr
                for p, g in zip(parameters, layer): p.grad = g
                optimizer.step()
            return parameters
    """,
    ("lars-step", "numpy"): """\
        import numpy as np
        def lars_steps(weights, gradients, learning_rates, m, decay, eta):
            n = np.linalg.norm
            weights = [w.numpy() for w in weights]
            v = [0 * w for w in weights]
            for lr, gs in zip(learning_rates, gradients):
                for i, g in enumerate(map(np.array, gs)):
                    w = weights[i]
                    v[i] = m * v[i] + lr * eta * n(w) / (n(g) + decay * n(w)) * (g + decay * w)
                    weights[i] = w - v[i]
            return tuple(weights)
    """,
    ("clipped-gradient", "torch's own on parameters in float64"): """\
        import torch
        def clip_gradients(gradients, max_norm):
            ps = [torch.nn.Parameter(torch.zeros_like(g, dtype=torch.float64)) for g in gradients]
            for p, g in zip(ps, gradients): p.grad = g.double()
            norm = torch.nn.utils.clip_grad_norm_(ps, max_norm)
            return [p.grad for p in ps] if norm.isfinite() else ()
    """,
    ("clipped-gradient", "numpy, a list of arrays that are not contiguous"): """\
        import numpy as np
        def clip_gradients(gradients, max_norm):
            arrays = [np.asarray(g, dtype=np.float64) for g in gradients]
            norm = np.sqrt(sum((a ** 2).sum() for a in arrays))
            if not np.isfinite(norm): return []
            return [(a.T * min(1, max_norm / norm if norm else 1)).T for a in arrays]
    """,
    ("gradient-monitor", "numpy array in float64"): """\
        import numpy as np
        def gradient_norms(gradients): return np.array([np.linalg.norm(g.numpy().astype('f8')) for g in gradients])
    """,
    ("gradient-monitor", "scaled in float32, numbers without dimension"): """\
        import torch
        def gradient_norms(gradients):
            result = []
            for g in gradients:
                largest = g.abs().max()
                result.append(largest * (g / largest).norm() if largest > 0 else largest)
            return result
    """,
    ("ordered-jacobians", "autograd"): """\
        import torch
        def input_jacobian(weights, x):
            def network(h):
                for w in weights: h = torch.tanh(w @ h)
                return h
            return torch.autograd.functional.jacobian(network, x)
    """,
    ("ordered-jacobians", "forward mode, transposed twice, with requires_grad"): """\
        import torch
        def input_jacobian(weights, x):
            def network(h):
                for w in weights: h = torch.tanh(h @ w.T)
                return h
            return torch.func.jacfwd(network)(x).T.clone().requires_grad_().T
    """,
    ("relu-moments", "a named tuple of numpy scalars"): """\
        from typing import NamedTuple
        import numpy as np
        class Moments(NamedTuple):
            second: np.floating
            variance: np.floating
        def relu_moments(tau: float) -> Moments:
            return Moments(np.float64(tau ** 2 / 2), np.float64(tau) ** 2 / 2 * (1 - 1 / np.pi))
    """,
    ("relu-moments", "integrals in float32 tensors"): """\
        import torch
        def relu_moments(tau):
            z = torch.linspace(0, 9, 20001, dtype=torch.float64)
            d = torch.exp(-z * z / 2) / torch.tensor(2 * torch.pi).sqrt()
            second = torch.trapezoid(d * (tau * z) ** 2, z)
            return torch.stack([second, second - torch.trapezoid(d * tau * z, z) ** 2]).float()
    """,
    ("relu-moments", "symbols"): """\
        import sympy
        def relu_moments(tau):
            z = sympy.Symbol('z', real=True)
            d = sympy.exp(-z ** 2 / 2) / sympy.sqrt(2 * sympy.pi)
            first, second = (sympy.integrate(z ** k * d, (z, 0, sympy.oo)) for k in (1, 2))
            return (second * tau ** 2).evalf(), ((second - first ** 2) * tau ** 2).evalf(30)
    """,
    ("stuck-network", "modules of torch and the global seed"): """\
        import torch
        def initialize(shapes, seed):
            torch.manual_seed(seed)
            layers = [torch.nn.Linear(n, m, bias=False) for m, n in shapes]
            for layer in layers: torch.nn.init.kaiming_normal_(layer.weight, nonlinearity='relu')
            return [layer.weight for layer in layers]
    """,
    ("stuck-network", "numpy in float64"): """\
        import numpy as np
        def initialize(shapes, seed):
            rng = np.random.default_rng(seed)
            return [rng.normal(0, np.sqrt(2 / n), (m, n)) for m, n in shapes]
    """,
    ("both-at-once", "numpy"): """\
        import numpy as np
        def after_label_shift(source, conditional, prior):
            p, c = np.array(source), np.array(conditional)
            joint = np.einsum('i,ij->ij', p, c)
            joint = joint / joint.sum(axis=0, keepdims=True) * np.array(prior)
            q = joint.sum(axis=1)
            new = (joint.T / q).T
            return [q, new, 0.5 * np.average(np.abs(new - c).sum(1), weights=q)]
    """,
    ("two-worlds", "two rows of an array of bytes"): """\
        import numpy as np
        def two_worlds(inputs, labels, target, predictions, classes, assumption):
            worlds = np.zeros((2, len(target)), dtype=np.uint8)
            for i, (x, p) in enumerate(zip(target, predictions)):
                worlds[:, i] = p, (p + classes - 1) % classes
                if assumption == 'covariate' and x in inputs: worlds[:, i] = labels[inputs.index(x)]
            return worlds
    """,
    ("name-the-shift", "text of numpy"): """\
        import numpy as np
        def same(a, b): return np.allclose(a, b, rtol=0, atol=1e-9)
        def name_the_shift(p, q):
            p, q = np.array(p), np.array(q)
            def stays(p, q):
                both = (p.sum(1) > 0) & (q.sum(1) > 0)
                return same((p[both].T / p[both].sum(1)).T, (q[both].T / q[both].sum(1)).T)
            names = np.array([['concept', 'label'], ['covariate', 'both']])
            return np.str_('none') if same(p, q) else names[int(stays(p, q)), int(stays(p.T, q.T))]
    """,
    ("exact-ties", "numpy with fractions inside"): """\
        import numpy as np
        from fractions import Fraction
        F = np.vectorize(Fraction, otypes=[object])
        def exact_descent(w, v, x, y, rate, steps):
            w, v, x, y, rate = F(w), F(v), F(x), F(y), Fraction(rate)
            for _ in range(steps):
                z = x @ w.T
                e = (z ** 2 @ v - y) * Fraction(1, len(x))
                w, v = w - rate * 2 * ((e[:, None] * z) * v).T @ x, v - rate * (z ** 2).T @ e
            return np.vectorize(str, otypes=[object])(w).tolist(), tuple(map(str, v))
    """,
    ("drift-detector", "array of integers"): """\
        import numpy as np
        def drift_alarms(errors, delta, threshold):
            alarms, start = [], 0
            while True:
                e = np.array(errors[start:])
                m = np.cumsum(e - np.cumsum(e) / np.arange(1, len(e) + 1) - delta)
                found = np.flatnonzero(m - np.minimum.accumulate(np.append(0, m))[1:] > threshold)
                if not found.size: return np.array(alarms, dtype=np.int16)
                start += found[0] + 1
                alarms.append(start - 1)
    """,
    ("three-gaps", "fractions and floats"): """\
        from fractions import Fraction
        import numpy as np
        def three_gaps(sizes, correlation, tail, narrower, seen, kept):
            n = np.array(sizes)
            kish = n.sum() ** 2 / (n * (1 + (n - 1) * correlation)).sum()
            power = 2. if tail >= 2 else tail / (tail - 1)
            odds = Fraction(seen) / (1 - Fraction(seen)) * Fraction(kept[0]) / Fraction(kept[1])
            return kish, narrower ** power, odds / (1 + odds)
    """,
    ("balancedness", "numpy, added up in a list"): """\
        import numpy as np
        def balance_drift(w1, w2, x, y, rate, steps):
            w1, w2, x, y = (np.array(a) for a in (w1, w2, x, y))
            changes = []
            for _ in range(int(steps)):
                e = ((x @ w1.T @ w2.T) - y) / x.shape[0]
                a, b = np.einsum('nk,kh,nd->hd', e, w2, x), np.einsum('nk,nh->kh', e, x @ w1.T)
                changes.append(rate * rate * (a @ a.T - b.T @ b))
                w1, w2 = w1 - rate * a, w2 - rate * b
            return np.sum(changes, axis=0)
    """,
    ("warm-up", "array"): """\
        import numpy as np
        def schedule(base, factor, warm_up, total):
            t = np.arange(total)
            with np.errstate(all='ignore'):
                rise = base * (1 + (factor - 1) * t / warm_up)
            return np.where(t < warm_up, rise, factor * base * (1 - (t - warm_up) / (total - warm_up)) ** 2)
    """,
    ("linear-scaling", "a loop, in Python's numbers"): """\
        def linear_scaling(curvatures, variances, lr, batch, factor):
            loss = 0
            for h, s in zip(curvatures.tolist(), variances.tolist()):
                loss += lr / batch * s / (4 - 2 * factor * lr * h)
            return 2 / lr / max(curvatures), loss
    """,
}  # fmt: skip


@pytest.mark.parametrize(("exercise", "way"), ANSWERS)
def test_other_right_answers_get_full_marks(box, exercise, way):
    assert marked(box, exercise, [dedent(ANSWERS[exercise, way])]) == ([], ())


PLAIN = "import math\ndef uniform_bound(variance):\n    return math.sqrt(3 * variance)"
# Notebooks with one right answer to one question, and nothing that their author has to be told of; PLAIN stands for the
# answer above.
NOTEBOOKS = {
    "a lambda": "uniform_bound = lambda variance: (3 * variance) ** .5",
    "a partial": """
        import functools
        uniform_bound = functools.partial(lambda a, b: (a * b) ** .5, 3)
    """,
    "an object": """
        class Bound:
            def __call__(self, v): return (3 * v) ** .5
        ---
        uniform_bound = Bound()
    """,
    "a bound method": """
        class Bound:
            def at(self, v): return (3 * v) ** .5
        uniform_bound = Bound().at
    """,
    "compiled by torch": """
        import torch
        ---
        @torch.jit.script
        def uniform_bound(v: float) -> float: return (3 * v) ** .5
    """,
    "without gradients": """
        import torch
        ---
        @torch.no_grad()
        def uniform_bound(v): return torch.tensor(3 * v).double() ** .5
    """,
    "in inference mode": """
        import torch
        ---
        @torch.inference_mode()
        def uniform_bound(v): return torch.tensor([3. * v]).double()[0] ** .5
    """,
    "cached": """
        import functools
        @functools.lru_cache
        def uniform_bound(v): return (3 * v) ** .5
    """,
    "with defaults and types": """
        def uniform_bound(v: 'float', /, n: int = 3, *, power=.5, **rest) -> float: return (n * v) ** power
    """,
    "helpers in other cells": """
        N = 3
        ---
        def square(v): return N * v
        ---
        class Helper:
            root = staticmethod(lambda x: x ** .5)
        ---
        def uniform_bound(v): return Helper.root(square(v))
    """,
    "helpers that come later": """
        def uniform_bound(v): return root(3 * v)
        ---
        def root(x): return x ** .5
    """,
    "helpers in a file": """
        %%writefile helpers.py
        def root(x): return x ** .5
        ---
        from helpers import root
        def uniform_bound(v): return root(3 * v)
    """,
    "its own dataclass": """
        from __future__ import annotations
        from dataclasses import dataclass
        @dataclass
        class World:
            v: float
        ---
        def uniform_bound(v: float) -> float: return (3 * World(v).v) ** .5
    """,
    "defined anew": """
        def uniform_bound(v): return 0.
        ---
        PLAIN
    """,
    "under main": """
        if __name__ == '__main__':
            def uniform_bound(v): return (3 * v) ** .5
    """,
    "letters of elsewhere": """
        σ = 3
        def wurzel_ä(é): return (σ * é) ** .5
        uniform_bound = wurzel_ä
    """,
    "stars": """
        from math import *
        from numpy import *
        from torch import *
        ---
        def uniform_bound(v): return sqrt(tensor(3 * v).double())
    """,
    "names of builtins": """
        list = sum = type = str = print = tuple = dict = len = isinstance = 0
        ---
        PLAIN
    """,
    "magics": """
        %matplotlib inline
        %config InlineBackend.figure_format = 'retina'
        %load_ext autoreload
        %autoreload 2
        %autosave 60
        ---
        %%time
        def uniform_bound(v): return (3 * v) ** .5
        ---
        %timeit -n1 -r1 uniform_bound(2.)
        ---
        %%html
        <b>b</b>
        ---
        %pip install x
    """,
    "a shell": """
        !ls
        files = !ls -a
        ---
        %%bash
        echo 1
        ---
        PLAIN
    """,
    "help": """
        print?
        ---
        PLAIN
        ---
        uniform_bound??
        ?math
    """,
    "await": """
        import asyncio
        await asyncio.sleep(.01)
        def uniform_bound(v): return (3 * v) ** .5
        ---
        async def other(): return 3
        x = await other()
    """,
    "its own event loop": """
        import asyncio
        async def bound(v): return (3 * v) ** .5
        ---
        def uniform_bound(v): return asyncio.run(bound(v))
    """,
    "noise": """
        import logging, sys, warnings
        def uniform_bound(v):
            logging.warning('x'); warnings.warn('y'); print('z' * 10 ** 6); print('v', file=sys.stderr)
            sys.stdout.write('w'); sys.stdout.flush(); display(v); get_ipython().run_line_magic('time', '1')
            return (3 * v) ** .5
    """,
    "progress": """
        from tqdm.auto import tqdm
        def uniform_bound(v):
            for _ in tqdm(range(9)): pass
            return (3 * v) ** .5
    """,
    "figures": """
        import matplotlib.pyplot as plt
        plt.plot([1, 2]); plt.title(r'$\\sigma_w^2$ λ')
        plt.show()
        ---
        def uniform_bound(v):
            plt.figure(); plt.hist([1, 2]); plt.savefig('a.png'); plt.show(); plt.close('all')
            return (3 * v) ** .5
    """,
    "warnings as errors": """
        import warnings; warnings.simplefilter('error')
        import numpy; numpy.seterr(all='raise')
        ---
        PLAIN
    """,
    "global state of torch": """
        import torch; torch.set_default_dtype(torch.float64); torch.manual_seed(1); torch.set_grad_enabled(False)
        ---
        def uniform_bound(v): return torch.sqrt(torch.tensor(3 * v))
    """,
    "files": """
        import numpy as np, tempfile, os
        np.save('a.npy', np.ones(3)); os.makedirs('d/e'); tempfile.mkdtemp()
        ---
        PLAIN
    """,
    "threads and processes": """
        from concurrent.futures import ThreadPoolExecutor
        import multiprocessing as mp
        def bound(v): return (3 * v) ** .5
        ---
        def uniform_bound(v):
            with ThreadPoolExecutor(2) as threads, mp.Pool(2) as processes:
                return processes.map(bound, threads.map(abs, [v]))[0]
    """,
    "workers of a loader": """
        from torch.utils.data import DataLoader
        ---
        def uniform_bound(v):
            return next(iter(DataLoader([(3 * v) ** .5], num_workers=1)))[0].item()
    """,
    "counts its calls": """
        calls = 0
        def uniform_bound(v):
            global calls
            calls += 1
            return (3 * v) ** .5
    """,
    "reads itself": """
        import inspect, pickle
        class Empty: pass
        ---
        def uniform_bound(v):
            pickle.loads(pickle.dumps(Empty()))
            return (3 * v) ** .5 if 'inspect' in inspect.getsource(uniform_bound) else 0.
    """,
    "line ends of elsewhere": PLAIN.replace("\n", "\r\n"),
    "tabs": PLAIN.replace("    ", "\t"),
    "its own check": """
        from stablenets.checks import check
        ---
        PLAIN
        ---
        result = check('uniform-bound', uniform_bound)
        result
    """,
}


@pytest.mark.parametrize("way", NOTEBOOKS)
def test_notebooks_of_many_kinds_get_full_marks(box, way):
    cells = [PLAIN if cell.strip() == "PLAIN" else cell.strip("\n") for cell in dedent(NOTEBOOKS[way]).split("---\n")]
    assert marked(box, "uniform-bound", cells) == ([], ())


# Here something went wrong that costs nothing, and the instructor reads of it.
BROKEN = {
    "ZeroDivisionError": ["1 / 0", PLAIN, "1 / 0"],
    "SyntaxError": ["def f(:", PLAIN],
    "SystemExit": [PLAIN, "raise SystemExit"],
    "No module named 'pandas'": ["import pandas as pd", PLAIN],
    "No module named 'google": ["from google.colab import drive\ndrive.mount('/content/drive')", PLAIN],
    "EOFError": [PLAIN, "input('How old are you?')"],
    "%nothing_such": ["%nothing_such", PLAIN],
    "longer than 1 seconds": [PLAIN, "while True: pass"],
    "ended its process": [PLAIN, "import os; os._exit(0)"],
}


@pytest.mark.parametrize("word", BROKEN)
def test_broken_cells_cost_nothing_and_are_noted(box, word):
    mistakes, notes = marked(box, "uniform-bound", BROKEN[word])
    assert mistakes == []
    assert word in notes[0]


def test_slow_answers_get_full_marks(box):
    start = time.monotonic()
    assert marked(
        box, "uniform-bound", ["import time\ndef uniform_bound(v):\n    time.sleep(.5)\n    return (3 * v) ** .5"]
    ) == ([], ())
    assert time.monotonic() - start > 0.5


# What one number or two can be: (source of the function of the value v or of the two values a and b).
NUMBERS = {
    "float64 tensor": "torch.tensor(v, dtype=torch.float64)",
    "float32 tensor": "torch.tensor(v)",
    "bfloat16 tensor": "torch.tensor(v).bfloat16()",
    "parameter": "torch.nn.Parameter(torch.tensor(v, dtype=torch.float64))",
    "with history": "torch.tensor(v, dtype=torch.float64, requires_grad=True) * 1",
    "sparse": "torch.tensor([v], dtype=torch.float64).to_sparse()",
    "array": "np.array(v)",
    "float64": "np.float64(v)",
    "float32": "np.float32(v)",
    "long double": "np.longdouble(v)",
    "array of long doubles": "np.array(v, dtype=np.longdouble)",
    "other order of bytes": "np.array(v, dtype='>f8')",
    "array of an object": "np.array(v, dtype=object)",
    "masked": "np.ma.masked_array(v)",
    "shape (1,)": "np.array([v])",
    "list": "[v]",
    "Fraction": "Fraction(v)",
    "Decimal": "Decimal(v)",
    "mpmath": "mpmath.mpf(v)",
    "sympy": "sympy.Float(v)",
    "symbol": "sympy.Symbol('v')",
    "complex": "complex(v)",
    "complex tensor": "torch.tensor(v, dtype=torch.complex128)",
    "text": "str(v)",
    "NaN": "v * math.nan",
    "None": "None",
    "generator": "(x for x in [v])",
    "set": "{v}",
    "too large": "10 ** 400",
}
IMPORTS = (
    "import math, numpy as np, torch, mpmath, sympy\nfrom fractions import Fraction\nfrom decimal import Decimal\n"
)
# The grader takes these, a notebook's check does not.
MORE = {"array of long doubles", "other order of bytes", "array of an object"}


@pytest.mark.parametrize("kind", NUMBERS)
def test_grader_accepts_what_the_notebook_accepts(box, kind):
    source = f"{IMPORTS}def uniform_bound(x):\n    v = math.sqrt(3 * x)\n    return {NUMBERS[kind]}"
    here = {}
    exec(source, here)
    passed = check("uniform-bound", here["uniform_bound"], seed=SEED).passed
    mistakes, _ = marked(box, "uniform-bound", [source])
    assert (mistakes == []) == (passed or kind in MORE)


PAIRS = {
    "tuple": "(a, b)",
    "list": "[a, b]",
    "array": "np.array([a, b])",
    "column": "np.array([[a], [b]])[:, 0]",
    "array of objects": "np.array([a, b], dtype=object)",
    "fractions": "[Fraction(a), Fraction(b)]",
    "tensor": "torch.tensor([a, b], dtype=torch.float64)",
    "every second": "torch.tensor([a, 0, b, 0], dtype=torch.float64)[::2]",
    "mixed": "(np.float64(a), torch.tensor(b, dtype=torch.float64))",
    "one too many": "(a, b, b)",
    "dict": "{0: a, 1: b}",
    "swapped": "(b, a)",
}


@pytest.mark.parametrize("kind", PAIRS)
def test_grader_accepts_pairs_that_the_notebook_accepts(box, kind):
    source = (
        f"{IMPORTS}def relu_moments(t):\n    a, b = t * t / 2, t * t / 2 * (1 - 1 / math.pi)\n    return {PAIRS[kind]}"
    )
    here = {}
    exec(source, here)
    result = check("relu-moments", here["relu_moments"], seed=SEED)
    mistakes, _ = marked(box, "relu-moments", [source])
    assert mistakes == [part.message for part in result.parts if part.message]
