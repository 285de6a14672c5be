import json

import matplotlib
import pytest
import torch
from bs4 import BeautifulSoup

matplotlib.use("agg")

from matplotlib import pyplot

from stablenets import plots

LABELS = {"x_label": "layer", "y_label": "value"}


@pytest.fixture
def drawn(monkeypatch):
    """The axes of the figure that a function has shown."""
    monkeypatch.setattr(pyplot, "show", lambda: None)
    yield lambda: pyplot.gcf().axes[0]
    pyplot.close("all")


def test_curves_differ_by_more_than_colour(drawn):
    plots.curves({f"run {i}": torch.arange(5.0) + i for i in range(5)}, **LABELS)
    lines = drawn().get_lines()
    assert len({str(line.get_linestyle()) for line in lines[:4]}) == 4
    assert len({line.get_color() for line in lines}) == 5


def test_several_runs_are_drawn_as_median_and_range(drawn):
    plots.curves({"runs": torch.tensor([[1.0, 1.0], [2.0, 5.0], [9.0, 6.0]])}, **LABELS)
    assert list(drawn().get_lines()[0].get_ydata()) == [2.0, 5.0]
    assert len(drawn().collections) == 1


def test_theory_is_black_and_named(drawn):
    plots.curves({"measured": [1, 2]}, theory={"predicted": ([0, 1], [1, 2])}, levels={"limit": 3.0}, **LABELS)
    assert drawn().get_lines()[1].get_color() == "black"
    (legend,) = drawn().figure.legends
    assert [text.get_text() for text in legend.get_texts()] == ["measured", "predicted"]
    assert [text.get_text() for text in drawn().texts] == ["limit"]


def test_legend_hides_no_line(drawn):
    plots.curves({f"method number {number}": torch.rand(9) for number in range(7)}, **LABELS)
    (legend,) = drawn().figure.legends
    drawn().figure.canvas.draw()
    assert legend.get_window_extent().y0 >= drawn().get_window_extent().y1
    assert legend.get_window_extent().x1 <= drawn().figure.bbox.x1


def test_fan_draws_every_run(drawn):
    plots.fan(torch.zeros(30, 4), theory={"mean": torch.zeros(4)}, **LABELS)
    assert len(drawn().get_lines()) == 32


def test_distributions_have_area_one(drawn):
    plots.distributions({"uniform": torch.linspace(0, 1, 1000), "narrow": torch.linspace(0.4, 0.6, 1000)}, x_label="w")
    for patch in drawn().patches:
        values, edges, _ = patch.get_data()
        assert abs((torch.as_tensor(values) * torch.as_tensor(edges).diff()).sum() - 1) < 1e-5


def test_heat_map_writes_each_value(drawn):
    values = torch.tensor([[0.1, 0.9], [0.5, 1.0]])
    plots.heat_map(values, rows=[10, 20], columns=["a", "b"], value_label="accuracy", **LABELS)
    assert [text.get_text() for text in drawn().texts] == ["0.1", "0.9", "0.5", "1"]


def test_dots_show_every_seed(drawn):
    plots.dots({"He": [0.8, 0.9, 0.7], "Xavier": [0.1, 0.1, 0.1]}, x_label="accuracy", levels={"chance": 0.1})
    assert [label.get_text() for label in drawn().get_yticklabels()] == ["He", "Xavier"]
    assert sorted(drawn().get_lines()[0].get_xdata()) == pytest.approx([0.7, 0.8, 0.9])


def test_images_stand_in_named_rows(drawn):
    plots.images({"one": torch.rand(3, 64), "other": torch.rand(2, 64)})
    figure = drawn().figure
    assert [axes.get_title(loc="left") for axes in figure.axes if axes.get_title(loc="left")] == ["one", "other"]
    assert sum(len(axes.images) for axes in figure.axes) == 5


def test_style_of_the_reader_is_left_alone(drawn):
    before = matplotlib.rcParams["font.size"]
    plots.curves({"a": [1, 2]}, **LABELS)
    assert matplotlib.rcParams["font.size"] == before


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"series": {"a": ([0, 1], [1, 2, 3])}}, "same number of points, got 2 and 3"),
        ({"series": {"a": [1]}, "y_scale": "logarithmic"}, "y_scale must be one of 'linear', 'log', 'symlog'"),
    ],
)
def test_impossible_figure_is_refused(drawn, arguments, message):
    with pytest.raises(ValueError, match=message):
        plots.curves(**arguments, **LABELS)


POSITIONS = {0.5: {"ReLU": [1.0, 2.0], "tanh": [1.0, 1.5]}, 1.0: {"ReLU": [1.0, 3.0], "tanh": [2.0, 1.5]}}


def test_slider_has_every_position_and_shows_one():
    figure = plots.slider(POSITIONS, slider="gain", told=["Less <than> one.", 'One, "so" far.'], **LABELS)
    document = BeautifulSoup(figure._repr_html_(), "html.parser")
    groups = document.select("svg [data-position]")
    assert [group["data-position"] for group in groups] == ["0", "0", "1", "1"]
    assert [group["data-position"] for group in groups if "none" not in group.get("style", "")] == ["1", "1"]
    assert document.svg["aria-label"] == document.output.text == document.input["aria-valuetext"] == 'One, "so" far.'
    assert json.loads(document.div["data-told"]) == ["Less <than> one.", 'One, "so" far.']
    assert "gain" in document.label.text
    assert figure._repr_png_().startswith(b"\x89PNG")
    assert repr(figure) == "<Figure with a slider of 2 positions: gain>"


def test_ids_of_two_sliders_never_meet():
    figures = [plots.slider(POSITIONS, slider=name, told=["a", "b"], **LABELS) for name in ("gain", "rate")]
    first, second = (
        {element["id"] for element in BeautifulSoup(figure._repr_html_(), "html.parser").find_all(id=True)}
        for figure in figures
    )
    assert first.isdisjoint(second)


def test_slider_draws_its_theory_with_its_position():
    theory = {0.5: {"predicted": [1, 2]}, 1.0: {"predicted": [2, 3]}}
    figure = plots.slider(POSITIONS, slider="gain", told=["a", "b"], theory=theory, **LABELS)
    groups = BeautifulSoup(figure._repr_html_(), "html.parser").select("[data-position]")
    assert [group["data-position"] for group in groups] == ["0"] * 3 + ["1"] * 3


@pytest.mark.parametrize(
    ("positions", "told", "said"),
    [
        ({1: {"a": [1, 2]}}, ["x"], "positions must be two or more"),
        ({1: {"a": [1, 2]}, 2: {"b": [1, 2]}}, ["x", "y"], "with the same names"),
        (POSITIONS, ["x"], "told must have a sentence for each of 2 positions, got 1"),
    ],
)
def test_slider_refuses_what_it_cannot_show(positions, told, said):
    with pytest.raises(ValueError, match=said):
        plots.slider(positions, slider="gain", told=told, **LABELS)
