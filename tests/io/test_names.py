"""Choosing sequences by name or pattern."""

import pytest

from mmdeepmot.errors import InputError
from mmdeepmot.io.names import choose_names

NAMES = ["MOT17-02-DPM", "MOT17-02-FRCNN", "MOT17-04-DPM", "PETS"]


@pytest.mark.parametrize(
    ("patterns", "expected"),
    [
        (None, NAMES),
        ([], []),
        (["PETS"], ["PETS"]),
        (["MOT17-0?-DPM"], ["MOT17-02-DPM", "MOT17-04-DPM"]),
        (["PETS", "*-DPM", "P*"], ["PETS", "MOT17-02-DPM", "MOT17-04-DPM"]),
    ],
)
def test_each_name_once_in_the_order_of_the_patterns(patterns, expected):
    assert choose_names(NAMES, patterns, "x") == expected


@pytest.mark.parametrize(
    ("patterns", "message"),
    [
        (
            ["PETS", "TUD*"],
            r"--sequences: no sequence is called 'TUD\*'; there are \['MOT17-02-DPM'",
        ),
        (["MOT17-2-DPM"], r"no sequence is called 'MOT17-2-DPM'; near: \['MOT17-02-DPM'"),
        ("PETS", "must be a list of names or patterns, got the str 'PETS'"),
    ],
)
def test_names_that_are_not_there(patterns, message):
    with pytest.raises(InputError, match=message):
        choose_names(NAMES, patterns, "--sequences")
