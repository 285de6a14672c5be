"""Worlds that agree in all that was observed."""

from torch import Generator

from stablenets.checks.answer import Answer, Mistake
from stablenets.checks.draws import integer
from stablenets.checks.exercise import Exercise

exercise = Exercise.of(__name__, minutes=25)


Case = tuple[list[int], list[int], list[int], list[int], int, str]


def _case(generator: Generator, assumption: str, classes: int) -> Case:
    """Codes of inputs and labels. Some target inputs come twice; of the seen ones the predictor gets some wrong."""
    # A class in the middle, the first and the last one are predicted where nothing is known.
    labels = [integer(0, classes - 1, generator) for _ in range(9)] + [classes // 2 - 1, 0, classes - 1]
    guesses = [(label + (i % 3 == 0)) % classes for i, label in enumerate(labels)]
    source = [5, 2, 3] + [integer(0, 4, generator) for _ in range(10)] + [6]
    target = [3, 3, 2, 5, 6, 9, 9, 10, 11] + [integer(0, 11, generator) for _ in range(12)]
    codes = [100 + 7 * i for i in range(12)]
    return (
        [codes[i] for i in source], [labels[i] for i in source],
        [codes[i] for i in target], [guesses[i] for i in target], classes, assumption,
    )  # fmt: skip


def _worlds(answer: Answer, case: Case) -> tuple[list[int], list[int]]:
    """The two labelings, with labels that are classes."""
    size, classes = len(case[2]), case[4]
    best, worst = (world.tolist() for world in answer.tensors(*case, shapes=((size,), (size,))))
    if not {*best, *worst} <= {*range(classes)}:
        raise Mistake("a label must be one of the classes 0, 1, …, classes − 1")
    for world in (best, worst):
        if len({*zip(case[2], world)}) > len({*case[2]}):
            raise Mistake("equal inputs have equal labels, in every world")
    return best, worst


@exercise.part("both keep what the source has shown", points=1)
def source_kept(answer: Answer, generator: Generator) -> None:
    case = inputs, labels, target, *_ = _case(generator, "covariate", integer(3, 5, generator))
    best, worst = _worlds(answer, case)
    seen = dict(zip(inputs, labels))
    if best == worst:
        raise Mistake("the worlds must be different")
    for world in (best, worst):
        if any(seen.get(x, label) != label for x, label in zip(target, world)):
            raise Mistake("under covariate shift an input that the source has shown keeps its label")


@exercise.part("risk is lowest in one and highest in the other", points=2)
def extremes(answer: Answer, generator: Generator) -> None:
    for classes in (2, 3, 5):
        case = inputs, _, target, predictions, *_ = _case(generator, "covariate", classes)
        best, worst = _worlds(answer, case)
        unseen = [(b, w, p) for x, b, w, p in zip(target, best, worst, predictions) if x not in inputs]
        if all(b != p == w for b, w, p in unseen):
            raise Mistake("the order is best, worst")
        if any(b != p for b, w, p in unseen):
            raise Mistake("where nothing is known, the predictor is always right in the best world")
        if any(w == p for b, w, p in unseen):
            raise Mistake("where nothing is known, the predictor is never right in the worst world")
        if any(b != w for x, b, w in zip(target, best, worst) if x in inputs):
            raise Mistake("the worlds may differ only where nothing is known")


@exercise.part("nothing is known without an assumption", points=1)
def no_assumption(answer: Answer, generator: Generator) -> None:
    case = *_, predictions, _, _ = _case(generator, "none", integer(3, 5, generator))
    best, worst = _worlds(answer, case)
    if best != predictions:
        raise Mistake("if labels may have changed, the predictor may be right everywhere")
    if any(w == p for w, p in zip(worst, predictions)):
        raise Mistake("if labels may have changed, the predictor may be wrong everywhere, also where the source was")
