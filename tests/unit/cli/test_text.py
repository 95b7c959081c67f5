from deconflict.cli.text import printable


def test_escape_sequences_cannot_steer_the_terminal() -> None:
    assert printable("clinic\x1b[2J\r\n") == "clinic\ufffd[2J\ufffd\ufffd"


def test_marks_that_reorder_a_line_are_replaced() -> None:
    assert printable("a\u202eb\u200f") == "a\ufffdb\ufffd"


def test_a_right_to_left_name_is_isolated_from_the_rest_of_the_line() -> None:
    assert printable("مستشفى") == "\u2068مستشفى\u2069"


def test_ordinary_text_is_unchanged() -> None:
    assert printable("36°22′12″N – Клиника №3") == "36°22′12″N – Клиника №3"
