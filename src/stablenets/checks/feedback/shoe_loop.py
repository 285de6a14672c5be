"""A bank that retrains on the shoes that its own score has polished."""

from torch import Generator

from stablenets.checks.answer import Answer, Value
from stablenets.checks.draws import uniform
from stablenets.checks.exercise import Exercise

exercise = Exercise.of(__name__, minutes=35)


World = tuple[float, float]


ROUNDS = 2000


def _settling(generator: Generator) -> World:
    noise = uniform(0.1, 1, generator)
    return noise, (1 + noise) ** 3 * uniform(0.5, 2, generator)


def _swinging(generator: Generator) -> World:
    noise = uniform(0.1, 1, generator)
    return noise, (1 + noise) ** 3 * uniform(6, 12, generator)


def _retrained(theta: float, world: World) -> float:
    noise, gaming = world
    return 1 / (1 + noise + gaming * theta**2)


def _slope(theta: float, world: World) -> float:
    """Of the map that retraining is."""
    return -2 * world[1] * theta * _retrained(theta, world) ** 2


def _history(world: World) -> list[float]:
    """Weights from the fit before anybody knows of the score."""
    weights = [_retrained(0.0, world)]
    for _ in range(ROUNDS):
        weights.append(_retrained(weights[-1], world))
    return weights


def _root(linear: float, cubic: float) -> float:
    """Where linear·θ + cubic·θ³ is one, by bisection."""
    low, high = 0.0, 2.0
    for _ in range(100):
        middle = (low + high) / 2
        low, high = (middle, high) if linear * middle + cubic * middle**3 < 1 else (low, middle)
    return low


def _root_of_square(linear: float, square: float) -> float:
    """Where linear·θ + square·θ² is one."""
    return 2 / (linear + (linear**2 + 4 * square) ** 0.5)


def _stable(world: World) -> float:
    return _root(1 + world[0], world[1])


def _optimum(world: World) -> float:
    return _root(1 + world[0], 2 * world[1])


def _error(theta: float, world: World, deployed: float | None = None) -> float:
    """Mean of (c − θ·s)² where ``deployed``, as a rule θ itself, is what the applicants answer to."""
    noise, gaming = world
    return 1 - 2 * theta + theta**2 * (1 + noise + gaming * (theta if deployed is None else deployed) ** 2)


def _value(answer: Answer, index: int, what: str) -> Value:
    return Value(answer, index, what, ((),) * 6)


@exercise.part("stable weight is left where it is", points=1)
def stable_weight(answer: Answer, generator: Generator) -> None:
    for world in (_settling(generator), _swinging(generator)):
        first, second, *_, last, after = _history(world)
        _value(answer, 0, "stable weight").expect(
            *world,
            value=_stable(world),
            mistakes={
                "that is the fit before anybody knows of the score": first,
                "that is the fit after one deployment": second,
                "that is the best weight, not the stable one": _optimum(world),
                "E[s²] holds the variance of c as well": _root(*world),
                "what θ√b·v adds to E[s²] is θ²b, not θb": _root_of_square(1 + world[0], world[1]),
                "the mean of the weights between which retraining swings is not a weight that it keeps": (
                    (last + after) / 2
                ),
                "retraining leaves this weight and comes back to it: it is not stable": min(last, after),
                "retraining leaves this weight and comes back, so it is not stable": max(last, after),
            },
        )
    _value(answer, 0, "stable weight").expect(world[0], 0.0, value=_retrained(0.0, world))


@exercise.part("factor has a sign", points=1)
def factor(answer: Answer, generator: Generator) -> None:
    for world in (_settling(generator), _swinging(generator)):
        stable, first = _stable(world), _history(world)[0]
        rate = _slope(stable, world)
        _value(answer, 1, "factor of a deviation").expect(
            *world,
            value=rate,
            mistakes={
                "each retraining lands on the other side of the stable weight": -rate,
                "θ² has the derivative 2θ": rate / 2,
                "the derivative of 1/u is −1/u² times that of u": -2 * world[1] * stable * stable,
                "take the derivative at the stable weight, not at the first fit": _slope(first, world),
                "take the derivative at the stable weight, not at the best one": _slope(_optimum(world), world),
                "that is the sensitivity of the variance of s, not of the fit": 2 * world[1] * stable,
                "one deviation after one retraining, not after two": rate**2,
            },
        )


@exercise.part("retraining settles or swings", points=1)
def long_run(answer: Answer, generator: Generator) -> None:
    for world in (_settling(generator), _swinging(generator), (uniform(0.1, 1, generator), 0.0)):
        first, second, *_, last, after = _history(world)
        ends = min(last, after), max(last, after)
        named = {
            "retraining does not settle here: it leaves the neighborhood of the stable weight": _stable(world),
            "that is the mean over the rounds: which weights does it visit?": (last + after) / 2,
        }
        for index, what, early, other in ((2, "lower weight", second, 1), (3, "higher weight", first, 0)):
            swapped = {"the lower weight comes first": ends[other], "wait until the start is forgotten": early}
            _value(answer, index, f"{what} of the long run").expect(
                *world, value=ends[1 - other], mistakes=named | swapped
            )


@exercise.part("best weight is another one", points=1)
def best_weight(answer: Answer, generator: Generator) -> None:
    for world in (_settling(generator), _swinging(generator)):
        *_, last, after = _history(world)
        _value(answer, 4, "best weight").expect(
            *world,
            value=_optimum(world),
            mistakes={
                "stable is not optimal: let the applicants' answer change with θ": _stable(world),
                "that was best before anybody knew of the score": _retrained(0.0, world),
                "shoes still tell of credit, so some weight is better than none": 0.0,
                "the better of the two weights of the swing is not the best of all": min(last, after),
            },
        )


@exercise.part("error counts once the applicants have answered", points=1)
def error(answer: Answer, generator: Generator) -> None:
    for world in (_swinging(generator), _settling(generator)):
        first, *_, last, after = _history(world)
        promised = (_error(last, world, after) + _error(after, world, last)) / 2
        deployed = _error(last, world), _error(after, world)
        _value(answer, 5, "error of the long run").expect(
            *world,
            value=sum(deployed) / 2,
            mistakes={
                "that is the error before anybody knows of the score, and it does not come back": 1 - first,
                "that is what the retrained score promises on the data of its fit, before they answer to it": promised,
                "that is the error at the stable weight, which retraining does not reach here": (
                    _error(_stable(world), world)
                ),
                "that is the error of the mean weight, not the mean of the errors": _error((last + after) / 2, world),
                "the mean over the long run, not its better half": min(deployed),
                "the mean over the long run, not its worse half": max(deployed),
                "that is the error of the best weight": _error(_optimum(world), world),
            },
        )
