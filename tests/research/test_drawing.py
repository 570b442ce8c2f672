from matplotlib.figure import Figure

from research.drawing import LINE, name_rows


def test_rows_are_as_high_as_the_lines_of_their_names() -> None:
    drawing = Figure()
    name_rows(
        drawing.subplots(), ["a name that takes four lines of this column, as it is long"] * 9
    )
    label = drawing.axes[0].get_yticklabels()[0].get_text()
    assert label.count("\n") == 3
    assert drawing.get_figheight() > 9 * 4 * LINE
