import spacy
import torch
from spacy.tokens import Span

from spacy_optical.distill.sentences import (
    StoredPieces,
    collate,
    drop_words,
    in_other_case,
    labelled_sentence,
    plain_sentence,
)
from spacy_optical.runtime.pieces import WordPieces

from ..util import toy_tokenizer


def test_hidden_words_lose_all_their_pieces_and_nothing_else():
    pieces = WordPieces(toy_tokenizer(["Amina"], letters="ab"))
    sentences = [plain_sentence(["ab", "Amina", "ba"], pieces), plain_sentence(["Amina"], pieces)]
    batch = collate(sentences, pieces)
    torch.manual_seed(0)
    seen = set()
    for _ in range(40):
        hidden = drop_words(batch, 0.5, pieces.unk_id)
        changed = hidden.input_ids != batch.input_ids
        assert (hidden.input_ids[changed] == pieces.unk_id).all()
        word = torch.where(changed, batch.word_of_piece, -1)
        for row, count in ((0, 3), (1, 1)):
            for number in range(count):
                share = changed[row][batch.word_of_piece[row] == number]
                assert share.all() or not share.any()
        assert not (word == batch.words.shape[1]).any()  # no special or padding piece
        seen.add(tuple(changed.flatten().tolist()))
    assert len(seen) > 4
    assert drop_words(batch, 0.0, pieces.unk_id) is batch


def test_stored_sentences_give_the_same_pieces():
    pieces = WordPieces(toy_tokenizer())
    sentences = [["Amina", "anaishi", "Nairobi"], [], ["x" * 600], ["Juma"]]
    cut = StoredPieces(sentences, pieces)
    expected = [plain_sentence(words, pieces) for words in sentences]
    assert [cut[i] for i in range(4)] == [sentence.pieces for sentence in expected]
    assert cut.lengths.tolist() == [len(sentence) for sentence in expected]


def test_sentences_in_other_case_keep_their_words_and_window():
    pieces = WordPieces(toy_tokenizer(["Amina", "amina", "AMINA"], letters="aAbB"))
    sentence = plain_sentence(["Amina", "ab"], pieces)
    torch.manual_seed(0)
    written = [in_other_case(sentence, 1.0, pieces, 10) for _ in range(30)]
    assert {one.words for one in written} == {sentence.words}
    expected = (["amina", "ab"], ["AMINA", "AB"], ["Amina", "Ab"])
    assert {one.pieces for one in written} == {tuple(pieces.pieces(words)) for words in expected}
    assert in_other_case(sentence, 0.0, pieces, 10) is sentence
    assert all(in_other_case(sentence, 1.0, pieces, 1) is sentence for _ in range(10))
    share = sum(in_other_case(sentence, 0.3, pieces, 10) is not sentence for _ in range(500))
    assert 100 < share < 200


def test_an_entity_that_begins_with_white_space_begins_at_its_first_word():
    doc = spacy.blank("en")("Amina \nJuma  \n")
    doc.set_ents([Span(doc, i, j, label="PER") for i, j in ((0, 1), (1, 3), (3, len(doc)))])
    number = {"O": 0, "B-PER": 1, "I-PER": 2}
    assert labelled_sentence(doc, WordPieces(toy_tokenizer()), number).tags == (1, 1)
