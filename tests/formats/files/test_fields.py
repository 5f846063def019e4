"""Fields of strangers' JSON: the value of the asked type, or one sentence."""

import pytest

from segstudio.errors import FormatError
from segstudio.formats.files.fields import Fields, records

ROW = {
    "text": "road",
    "whole": 7,
    "as_text": "12",
    "as_float": 3.0,
    "half": 0.5,
    "yes": True,
    "nothing": None,
    "list": [1],
    "object": {"a": 1},
    "huge": 10**400,
    "infinite": float("inf"),
    "nan": float("nan"),
}


@pytest.fixture
def fields():
    return Fields(ROW, "a.json: row 3")


def test_values_of_the_asked_type_are_given(fields):
    assert fields.text("text") == "road"
    assert fields.text("whole") == "7"
    assert [fields.whole(name) for name in ("whole", "as_text", "as_float")] == [7, 12, 3]
    assert fields.number("half") == 0.5
    assert fields.rows("list") == [1]
    assert fields.record("object").whole("a") == 1
    assert [fields.has(name) for name in ("text", "nothing", "absent")] == [True, False, False]


def test_what_is_absent_has_a_default_or_none(fields):
    assert fields.text("absent", "x") == "x"
    assert fields.whole("nothing", otherwise=4) == 4
    assert fields.number("absent", 1.5) == 1.5
    assert fields.rows("nothing") == []
    assert fields.raw("absent") is None


@pytest.mark.parametrize(
    ("ask", "told"),
    [
        (lambda f: f.text("list"), "'list' is a list instead of text"),
        (lambda f: f.text("yes"), "'yes' is 'True' instead of text"),
        (lambda f: f.text("absent"), "'absent' is missing instead of text"),
        (lambda f: f.whole("nothing"), "'nothing' is null"),
        (lambda f: f.whole("yes"), "'yes' is 'True' instead of a whole number"),
        (lambda f: f.whole("half"), "'half' is '0.5' instead of a whole number"),
        (lambda f: f.whole("huge"), "'huge' is '1000"),
        (lambda f: f.whole("infinite"), "'infinite' is 'inf'"),
        (lambda f: f.whole("whole", 0, 6), "a whole number from 0 to 6"),
        (lambda f: f.number("huge"), "'huge' is '1000"),
        (lambda f: f.number("nan"), "'nan' is 'nan' instead of a number"),
        (lambda f: f.number("text"), "'text' is 'road' instead of a number"),
        (lambda f: f.rows("object"), "'object' is an object instead of a list"),
        (lambda f: f.record("list"), "'list' is a list instead of an object"),
        (lambda f: f.record("absent"), "'absent' is null instead of an object"),
        (lambda f: list(f.records("list")), "'list' 0 is '1' instead of an object"),
    ],
)
def test_values_of_other_types_are_one_sentence_with_the_place(fields, ask, told):
    with pytest.raises(FormatError) as error:
        ask(fields)
    assert told in str(error.value)
    assert str(error.value).startswith("a.json: row 3")
    assert len(str(error.value)) < 200


def test_rows_that_are_no_objects_say_which(fields):
    with pytest.raises(FormatError, match="images 1 is null"):
        list(records([{}, None], "images"))
