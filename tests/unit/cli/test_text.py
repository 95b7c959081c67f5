import json

from deconflict.cli.text import printable, printable_json


def test_escape_sequences_cannot_steer_the_terminal() -> None:
    assert printable("clinic\x1b[2J\r\n") == "clinic\ufffd[2J\ufffd\ufffd"


def test_marks_that_reorder_a_line_are_replaced() -> None:
    assert printable("a\u202eb\u200f") == "a\ufffdb\ufffd"


def test_a_right_to_left_name_is_isolated_from_the_rest_of_the_line() -> None:
    assert printable("مستشفى") == "\u2068مستشفى\u2069"


def test_ordinary_text_is_unchanged() -> None:
    assert printable("36°22′12″N – Клиника №3") == "36°22′12″N – Клиника №3"


def test_the_end_of_a_line_in_unicode_is_replaced() -> None:
    assert printable("a\u2028b\u2029c") == "a\ufffdb\ufffdc"


def test_json_cannot_steer_the_terminal_and_says_the_same() -> None:
    said = {"name": "a\u202eb\x9b31mc\x7f\u2066مستشفى №3\x1b[2J"}
    written = printable_json(json.dumps(said, ensure_ascii=False).encode())
    assert json.loads(written) == said
    text = written.decode()
    assert "مستشفى №3" in text
    assert not set(text) & set("\u202e\x9b\x7f\u2066\x1b")
