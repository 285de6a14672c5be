"""What weight decay leaves of the invariance of LARS to the size of the gradient."""

from torch import Generator, Tensor

from stablenets.checks.answer import Answer, Mistake
from stablenets.checks.draws import log_uniform, normal, uniform
from stablenets.checks.exercise import Exercise

exercise = Exercise.of(__name__, minutes=15)


class Share(Answer):
    """The share of the longest step, or the scale of the gradient that it takes."""

    def __init__(self, answer: Answer, index: int) -> None:
        super().__init__(answer.function)
        self.index = index

    def __call__(self, *arguments: object) -> Tensor:
        return Answer(self.function).tensors(*arguments, shapes=((), ()))[self.index]


@exercise.part("length without weight decay is the same for every gradient", points=1)
def without_weight_decay(answer: Answer, generator: Generator) -> None:
    for scale in (1.0, 1e-6, 1e6, 1e-30, 1e30):
        weight = normal(4, 5, generator=generator)
        gradient = (scale * normal(4, 5, generator=generator)).float()
        share = Share(answer, 0)
        value = share(weight.float(), gradient, 0.0, 0.5)
        if abs(value - 1) > 1e-5:
            if scale in (1e-30, 1e30):
                raise Mistake(f"a float32 gradient of size {scale:.0e} has a norm, but not one by squares in float32")
            raise Mistake("without weight decay the step has its full length for every gradient but zero")


def _case(generator: Generator) -> tuple[Tensor, Tensor, float, float, float, float]:
    weight, gradient = (
        log_uniform(0.5, 5, generator) * normal(4, 5, generator=generator),
        normal(4, 5, generator=generator),
    )
    decay, share = log_uniform(0.05, 1, generator), uniform(0.6, 0.95, generator)
    return weight, gradient, decay, share, decay * weight.norm().item(), gradient.norm().item()


@exercise.part("weight decay takes its share", points=1)
def with_weight_decay(answer: Answer, generator: Generator) -> None:
    weight, gradient, decay, share, pull, push = _case(generator)
    Share(answer, 0).expect(
        weight, gradient, decay, share,
        value=push / (push + pull),
        mistakes={
            "weight decay takes a part of the length, since it stands in the denominator of λ": 1.0,
            "that is the share of weight decay": pull / (push + pull),
            "the denominator is the sum of the norms": push / (gradient + decay * weight).norm().item(),
            "that is the ratio of the two": push / pull,
            "in the denominator weight decay is multiplied by the norm of the weights": push / (push + decay),
        },
    )  # fmt: skip


@exercise.part("smallest scale leaves the asked share", points=1)
def smallest_scale(answer: Answer, generator: Generator) -> None:
    weight, gradient, decay, share, pull, push = _case(generator)
    value = share / (1 - share) * pull / push
    Share(answer, 1).expect(
        weight, gradient, decay, share,
        value=value,
        mistakes={
            "the share is of the whole, not of the part of weight decay": share * pull / push,
            "as much as weight decay has gives half of the length": pull / push,
            "that gives weight decay the asked share": (1 - share) / share * pull / push,
            "multiply the gradient by it: you return its inverse": 1 / value,
            "return a factor, not a norm": value * push,
            "the share without its remainder: solve c‖g‖ = s(c‖g‖ + β‖w‖)": pull / push / (1 - share),
        },
    )  # fmt: skip
    if Share(answer, 1)(weight, gradient, 0.0, share) != 0:
        raise Mistake("without weight decay every scale above zero will do: the smallest is the limit 0")
