"""Errors carry their code, wherever they come from."""

import pickle

import pytest

from spacy_optical.errors import Errors, MissingDependency, OpticalError


@pytest.mark.parametrize("kind", [OpticalError, MissingDependency])
def test_code(kind: type[OpticalError]):
    err = kind(Errors.E002.format(what="config", path="{x}.cfg"))
    assert err.code == "E002"
    assert str(err) == "[E002] No such config: {x}.cfg"
    again = pickle.loads(pickle.dumps(err))
    assert (again.code, str(again), type(again)) == (err.code, str(err), kind)


def test_error_without_a_code():
    assert OpticalError("something").code == ""
    assert Errors.E505.startswith("[E505] ")


def test_place():
    err = OpticalError(Errors.E505).at("corpus.jsonl:3")
    assert err.code == "E505"
    assert str(err).startswith("[E505] corpus.jsonl:3: There are no gold documents")
