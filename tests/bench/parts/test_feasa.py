"""A Feasa LED Analyser: commands in, answers out."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_sim.bench.parts.feasa import ANSWER_SIZE_MAX, COMMANDS, WAITING_MAX, Feasa, Habits

NO = b"SYNTAX ERROR\r\n"


def light(fibre: int, at_ms: int) -> tuple[float, float, float]:
    """Red stays on the first fibre, blue blinks 250/250 ms on the second, the third is dark."""
    blue = 0.9 if at_ms % 500 < 250 else 0.0
    return {1: (0.9, 0.05, 0.02), 2: (0.0, blue / 8, blue)}.get(fibre, (0.0, 0.0, 0.0))


@pytest.fixture
def box() -> Feasa:
    return Feasa(light, fibres=3, serial="75A6")


def ask(box: Feasa, command: str, now_ms: int = 0) -> str:
    """Send a command and return what is answered until its capture is over, if it began one."""
    answer = box.feed(command.encode("latin-1") + b"\r\n", now_ms)
    while (next_ms := box.next_ms()) is not None:
        answer += box.due(next_ms)
    return answer.decode("ascii")


def test_a_capture_is_answered_when_it_is_over(box: Feasa) -> None:
    assert box.feed(b"capture3\r", 1000) == b""
    assert box.next_ms() == 1022
    assert box.due(1021) == b""
    assert box.due(1022) == b"OK\r\n"
    assert box.next_ms() is None
    assert box.feed(b"getrgbi01\n", 1022) == b"237 013 005 67877\r\n"


@pytest.mark.parametrize(
    ("command", "length_ms"),
    [
        ("capture", 350),
        ("c", 350),
        ("CAPTURE1", 650),
        ("c2", 200),
        ("c4", 4),
        ("capture5", 2),
        ("busc3", 22),
        ("capturepwm", 2000),
        ("cpwm", 2000),
        ("c1pwm", 4500),
        ("Capture5PWM15", 250),
    ],
)
def test_captures_take_as_long_as_the_manual_says(box: Feasa, command: str, length_ms: int) -> None:
    assert box.feed(f"{command}\r\n".encode(), 0) == b""
    assert box.next_ms() == length_ms
    assert box.due(length_ms) == b"OK\r\n"


def test_a_factor_makes_it_longer_and_brighter(box: Feasa) -> None:
    ask(box, "c5")
    dim = int(ask(box, "getintensity01"))
    assert ask(box, "putfactor05") == "OK\r\n"
    assert ask(box, "getfactor") == "05\r\n"
    box.feed(b"c5\r", 100)
    assert box.next_ms() == 110
    box.due(110)
    assert int(ask(box, "getintensity01")) > dim + 10_000


def test_all_fibres_come_with_their_numbers(box: Feasa) -> None:
    ask(box, "c3")
    assert ask(box, "getrgbiall").split("\r\n") == [
        "01 237 013 005 67877",
        "02 000 028 227 67877",
        "03 000 000 000 00000",
        "",
    ]
    assert ask(box, "gethsiall").startswith("01 002.05 098 67877\r\n02 ")


@pytest.mark.parametrize(
    ("command", "columns"),
    [
        ("getrgbiall", ((3, 6), (7, 10), (11, 14), (15, 20))),
        ("gethsiall", ((3, 9), (10, 13), (14, 19))),
        ("getxyall", ((3, 9), (10, 16))),
        ("getuvall", ((3, 9), (10, 16))),
        ("getcctall", ((3, 8),)),
        ("getwavelengthall", ((3, 6),)),
        ("getabsintall", ((3, 13),)),
        ("getintensityall", ((3, 8),)),
    ],
)
def test_answers_fall_apart_where_published_clients_cut_them(
    box: Feasa, command: str, columns: tuple[tuple[int, int], ...]
) -> None:
    ask(box, "c3")
    for number, line in enumerate(ask(box, command).split("\r\n")[:-1], 1):
        assert line[:3] == f"{number:02d} "
        assert all(float(line[first:last]) >= 0 for first, last in columns)
        assert len(line) == columns[-1][1]


def test_before_a_capture_nothing_is_there(box: Feasa) -> None:
    assert ask(box, "gethsi01") == "999.99 999 00000\r\n"


def test_a_blinking_light_is_no_light_for_the_automatic_range(box: Feasa) -> None:
    ask(box, "capture")
    assert ask(box, "gethsi02") == "000.00 000 00000\r\n".replace("0", "X")
    assert ask(box, "gethsi01").startswith("002.05")
    ask(box, "setautopwm1")
    assert ask(box, "getautopwm") == "1\r\n"
    ask(box, "capture")
    assert ask(box, "gethsi02").startswith("232.50")


def test_a_bright_light_is_too_much_for_the_lowest_range(box: Feasa) -> None:
    ask(box, "capture1")
    assert ask(box, "getrgbi01") == "255 255 255 99999\r\n"


def test_a_sequence_shows_when_a_light_was_on(box: Feasa) -> None:
    for command in ("putsequencecapture005", "putsequencewait045", "putsequencenumber020"):
        assert ask(box, command) == "OK\r\n"
    box.feed(b"capturesequence\r", 100)
    assert box.next_ms() == 1100
    assert box.due(1100) == b"OK\r\n"
    assert ask(box, "getsequence02").split() == list("11100000111110000011")
    assert ask(box, "getsequencetimes02") == "Toff1 = 00000ms Ton = 00150 ms Toff2 = 00250ms\r\n"
    assert ask(box, "storesequence04") == "OK\r\n"
    assert ask(box, "identifysequence") == "04\r\n"
    assert ask(box, "getsequencetimes04", 1100) == NO.decode()


def test_a_delay_comes_first_and_a_long_sequence_is_looked_at_again_and_again(box: Feasa) -> None:
    ask(box, "putsequencestartdelay100")
    ask(box, "putsequencewait999")
    ask(box, "putsequencenumber0500")
    box.feed(b"capturesequence\r", 0)
    assert box.next_ms() == 60_100
    assert ask(box, "getsequencenumber") == "OK\r\n0500\r\n"
    assert len(box.sequence.bits[0]) == 500


def test_patterns_unlike_any_have_no_number(box: Feasa) -> None:
    assert ask(box, "identifysequence") == "99\r\n"


def test_eot_ends_a_transmission_and_not_a_line(box: Feasa) -> None:
    assert ask(box, "enableeot") == "OK\r\n\x04"
    assert ask(box, "getintensityall") == "01 00000\r\n02 00000\r\n03 00000\r\n\x04"
    assert ask(box, "disableeot") == "OK\r\n"


def test_what_it_says_of_itself(box: Feasa) -> None:
    assert ask(box, "getserial") == "75A6\r\n"
    assert ask(box, "GetVersion") == "F211\r\n"
    assert ask(box, "setlin") == "OK\r\n"
    status = ask(box, "getstatus")
    assert "Hardware: Feasa 3-F\r\n" in status
    assert "Intensity Mode: Linear\r\n" in status


def test_another_analyser_is_meant(box: Feasa) -> None:
    assert ask(box, "busfree") == "OK\r\n"
    assert ask(box, "busgetF044") == ""
    assert ask(box, "busget75a6") == "OK\r\n"


@pytest.mark.parametrize(
    "line",
    [
        "hello",
        "getrgbi1",
        "getrgbi00",
        "getrgbi04",
        "getrgbi21",
        "getrgbi01x",
        "capture6",
        "capture3pwm16",
        "c3pwm00",
        "setfactor16",
        "setfactor0",
        "setsequencecapture0",
        "getsequence01",
        "storesequence00",
        "\x1b[2J",
        "\xff\xfe",
        "getintensity\u00b2\u00b2",
        "x" * 5000,
    ],
)
def test_what_is_no_command_is_refused(box: Feasa, line: str) -> None:
    assert ask(box, line) == NO.decode()
    assert ask(box, "getserial") == "75A6\r\n"


def test_how_it_refuses_is_a_habit() -> None:
    box = Feasa(light, habits=Habits(refusal="ERR", version="F123", unidentified="--"))
    assert (ask(box, "huh"), ask(box, "getversion")) == ("ERR\r\n", "F123\r\n")
    assert ask(box, "identifysequence") == "--\r\n"


def test_a_line_that_is_too_long_does_not_become_a_shorter_one(box: Feasa) -> None:
    assert ask(box, " " * 80 + "getserial") == NO.decode()


def test_empty_lines_are_nothing(box: Feasa) -> None:
    assert box.feed(b"\r\n\n\r\r\n", 0) == b""


def test_commands_may_come_in_pieces(box: Feasa) -> None:
    answers = [box.feed(bytes((byte,)), 0) for byte in b" getserial \r\n"]
    assert b"".join(answers) == b"75A6\r\n"


def test_commands_wait_for_a_capture_and_no_more_than_fit(box: Feasa) -> None:
    box.feed(b"c4\rgetserial\rc4\r", 0)
    assert box.due(3) == b""
    assert box.due(4) == b"OK\r\n75A6\r\n"
    assert box.next_ms() == 8
    box.feed(b"getserial\n" * 50, 5)
    assert box.due(8) == b"OK\r\n" + b"75A6\r\n" * WAITING_MAX


def test_a_flood_of_questions_gets_a_bounded_answer(box: Feasa) -> None:
    ask(box, "putsequencenumber3500")
    ask(box, "putsequencecapture01")
    ask(box, "putsequencewait00")
    ask(box, "capturesequence")
    answer = box.feed(b"getsequence01\n" * 1000, 10_000)
    assert ANSWER_SIZE_MAX <= len(answer) < 2 * ANSWER_SIZE_MAX


def test_there_is_at_least_one_fibre_and_at_most_twenty() -> None:
    assert (Feasa(light, fibres=0).fibres, Feasa(light, fibres=99).fibres) == (1, 20)


PIECES = st.one_of(
    st.binary(max_size=30),
    st.sampled_from([form.pattern.encode() for form, _ in COMMANDS]),
    st.sampled_from(
        [b"c3\r", b"capturesequence\r", b"getrgbiall\r", b"getsequence01\n", b"enableeot\r\n"]
    ),
)


@given(st.lists(st.tuples(PIECES, st.integers(0, 5000)), max_size=20))
def test_garbage_is_answered_in_ascii_lines(sent: list[tuple[bytes, int]]) -> None:
    box = Feasa(light)
    now_ms, answer = 0, b""
    for piece, later_ms in sent:
        now_ms += later_ms
        answer += box.feed(piece, now_ms)
    while (next_ms := box.next_ms()) is not None:
        answer += box.due(max(next_ms, now_ms))
    text = answer.decode("ascii").replace("\r\n", "").replace("\x04", "")
    assert text == "" or text.isprintable()
    assert not answer or answer.endswith((b"\r\n", b"\x04"))
