import torch

from spacy_optical.distill.sentences import CutSentences, collate, drop_words, plain_sentence
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


def test_cut_sentences_give_the_same_pieces():
    pieces = WordPieces(toy_tokenizer())
    sentences = [["Amina", "anaishi", "Nairobi"], [], ["x" * 600], ["Juma"]]
    cut = CutSentences(sentences, pieces)
    expected = [plain_sentence(words, pieces) for words in sentences]
    assert [cut[i] for i in range(4)] == [sentence.pieces for sentence in expected]
    assert cut.lengths.tolist() == [len(sentence) for sentence in expected]
