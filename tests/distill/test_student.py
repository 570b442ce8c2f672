import errno
import json
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors import SafetensorError
from transformers.modeling_utils import PreTrainedModel

from spacy_optical.distill.config import Student
from spacy_optical.distill.sentences import collate, plain_sentence
from spacy_optical.distill.student import NeuronOutputs, make_student, neuron_outputs
from spacy_optical.distill.tagger import METRICS, WordTagger, load_tagger, save_tagger
from spacy_optical.encoders.folder import check_encoder
from spacy_optical.encoders.vocabulary_trimming import Vocabulary, trim_vocabulary
from spacy_optical.errors import OpticalError
from spacy_optical.runtime.decode import bio_tags
from spacy_optical.runtime.pieces import WordPieces

from ..toy_project import toy_text
from ..util import toy_encoder, trained_toy_tokenizer

WORDS = [text.split() for text in toy_text()]


@pytest.fixture(scope="module", params=["bert", "xlm-roberta"])
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return toy_encoder(
        tmp_path_factory.mktemp(request.param) / "toy",
        trained_toy_tokenizer(toy_text()),
        kind=request.param,
    )


@pytest.fixture(scope="module")
def teacher(folder: Path) -> WordTagger:
    return load_tagger(folder, bio_tags(["LOC", "PER"])).eval()


def vocabulary_of(folder: Path, size: int) -> Vocabulary:
    return trim_vocabulary((folder / "tokenizer.json").read_bytes(), [WORDS], size)


def alike(tagger: WordTagger) -> list[NeuronOutputs]:
    """The outputs of neurons that are all the same, so the outgoing weights decide."""
    size = tagger.model.config.intermediate_size
    return [NeuronOutputs(torch.zeros(size), torch.ones(size))] * 4


def stem(tagger: WordTagger) -> str:
    model: PreTrainedModel = tagger.model
    return f"{model.base_model_prefix}."


def logits(tagger: WordTagger, tokenizer: bytes) -> torch.Tensor:
    pieces = WordPieces(tokenizer)
    with torch.inference_mode():
        return tagger(collate([plain_sentence(w, pieces) for w in WORDS[:9]], pieces)).logits


def test_identical_student_gives_the_teachers_logits(folder: Path, teacher: WordTagger):
    vocabulary = vocabulary_of(folder, 10_000)
    shape = Student(layers=[0, 1, 2, 3], vocabulary=10_000, positions=96)
    student = make_student(teacher, shape, vocabulary, alike(teacher)).eval()
    torch.testing.assert_close(
        logits(student, vocabulary.tokenizer),
        logits(teacher, (folder / "tokenizer.json").read_bytes()),
    )


def test_fewer_positions_and_pieces_change_nothing_that_is_kept(folder: Path, teacher: WordTagger):
    """A word whose pieces are all kept has the same logits; so position rows are the right ones."""
    vocabulary = vocabulary_of(folder, 110)
    shape = Student(layers=[0, 1, 2, 3], vocabulary=110, positions=24)
    student = make_student(teacher, shape, vocabulary, alike(teacher)).eval()
    assert student.max_pieces == 24
    assert_same_logits_of_kept_words(folder, teacher, vocabulary, student)


def assert_same_logits_of_kept_words(
    folder: Path, teacher: WordTagger, vocabulary: Vocabulary, student: WordTagger
) -> None:
    """Compare the logits of single words whose pieces are all kept."""
    old = WordPieces((folder / "tokenizer.json").read_bytes())
    new = WordPieces(vocabulary.tokenizer)
    same = [
        word
        for word in {word for words in WORDS for word in words}
        if tuple(vocabulary.old_ids[list(new.pieces([word])[0])]) == old.pieces([word])[0]
    ]
    assert len(same) > 5
    with torch.inference_mode():
        for word in same:
            ours = student(collate([plain_sentence([word], new)], new)).logits
            theirs = teacher(collate([plain_sentence([word], old)], old)).logits
            torch.testing.assert_close(ours, theirs)


def test_layers_are_the_teachers(folder: Path, teacher: WordTagger):
    vocabulary = vocabulary_of(folder, 110)
    student = make_student(
        teacher, Student(layers=[1, 3], vocabulary=110), vocabulary, alike(teacher)
    )
    big, small = teacher.model.state_dict(), student.model.state_dict()
    assert student.model.config.num_hidden_layers == 2
    for ours, theirs in ((0, 1), (1, 3)):
        for part in ("attention.self.query.weight", "output.dense.bias", "output.LayerNorm.weight"):
            assert torch.equal(
                small[f"{stem(student)}encoder.layer.{ours}.{part}"],
                big[f"{stem(teacher)}encoder.layer.{theirs}.{part}"],
            )
    rows = big[f"{stem(teacher)}embeddings.word_embeddings.weight"]
    assert torch.equal(
        small[f"{stem(student)}embeddings.word_embeddings.weight"], rows[vocabulary.old_ids]
    )
    assert torch.equal(small["classifier.weight"], big["classifier.weight"])


def test_pruning_keeps_the_strongest_neurons(folder: Path, teacher: WordTagger):
    vocabulary = vocabulary_of(folder, 110)
    shape = Student(layers=[2], vocabulary=110, intermediate=5)
    variance = torch.rand(64, generator=torch.Generator().manual_seed(0))
    outputs = [NeuronOutputs(torch.zeros(64), variance)] * 4
    student = make_student(teacher, shape, vocabulary, outputs)
    layer = f"{stem(teacher)}encoder.layer.2."
    big, small = teacher.model.state_dict(), student.model.state_dict()
    into, out = big[layer + "intermediate.dense.weight"], big[layer + "output.dense.weight"]
    strength = [float(variance[i].sqrt() * out[:, i].square().sum().sqrt()) for i in range(64)]
    strongest = sorted(np.argsort(strength)[-5:])
    ours = layer.replace("layer.2", "layer.0")
    assert torch.equal(small[ours + "intermediate.dense.weight"], into[strongest])
    assert torch.equal(
        small[ours + "intermediate.dense.bias"], big[layer + "intermediate.dense.bias"][strongest]
    )
    assert torch.equal(small[ours + "output.dense.weight"], out[:, strongest])


def test_pruning_all_but_dead_neurons_changes_nothing(folder: Path):
    tagger = load_tagger(folder, bio_tags(["LOC"])).eval()
    with torch.no_grad():
        for layer in tagger.model.base_model.encoder.layer:
            layer.output.dense.weight[:, ::2] = 0
    vocabulary = vocabulary_of(folder, 10_000)
    shape = Student(layers=[0, 1, 2, 3], vocabulary=10_000, intermediate=32, positions=96)
    student = make_student(tagger, shape, vocabulary, alike(tagger)).eval()
    torch.testing.assert_close(
        logits(student, vocabulary.tokenizer), logits(tagger, vocabulary.tokenizer)
    )


@pytest.mark.parametrize(
    ("shape", "code"),
    [
        (Student(layers=[0, 4], vocabulary=110), r"E406.*no layer 4: it has 4"),
        (Student(layers=[0], vocabulary=110, intermediate=65), r"E407.*65 is more than.* 64"),
    ],
)
def test_shapes_that_the_teacher_lacks(
    folder: Path, teacher: WordTagger, shape: Student, code: str
):
    with pytest.raises(OpticalError, match=code):
        make_student(teacher, shape, vocabulary_of(folder, 110), alike(teacher))


def test_folder_round_trip(tmp_path: Path, folder: Path, teacher: WordTagger):
    from transformers import AutoTokenizer

    vocabulary = vocabulary_of(folder, 110)
    student = make_student(
        teacher, Student(layers=[0, 2], vocabulary=110), vocabulary, alike(teacher)
    ).eval()
    out = tmp_path / "student"
    save_tagger(student, vocabulary.tokenizer, {"seed": 1}, out)
    check_encoder(out)
    assert json.loads((out / METRICS).read_text(encoding="utf8")) == {"seed": 1}
    torch.testing.assert_close(
        logits(load_tagger(out).eval(), vocabulary.tokenizer),
        logits(student, vocabulary.tokenizer),
    )
    tokenizer = AutoTokenizer.from_pretrained(out, local_files_only=True)
    pieces = WordPieces(vocabulary.tokenizer)
    for word in ("Amina", "lähellä"):
        found = tuple(tokenizer(word, add_special_tokens=False).input_ids)
        assert found == pieces.pieces([word])[0]
    assert not any("added_tokens_decoder" in p.read_text() for p in out.glob("*config.json"))


def test_pooled_student(tmp_path: Path, folder: Path, teacher: WordTagger):
    """Layers on pieces are the teacher's; those above see one vector a word; the folder says so."""
    vocabulary = vocabulary_of(folder, 10_000)
    shape = Student(layers=[0, 1, 2], pool_after=1, vocabulary=10_000, positions=96)
    student = make_student(teacher, shape, vocabulary, alike(teacher)).eval()
    save_tagger(student, vocabulary.tokenizer, {}, tmp_path / "student")
    again = load_tagger(tmp_path / "student").eval()
    pieces = WordPieces(vocabulary.tokenizer)
    batch = collate([plain_sentence(words, pieces) for words in WORDS[:9]], pieces)
    with torch.inference_mode():
        ours, theirs, loaded = student(batch), teacher(batch), again(batch)
    words = batch.words
    for pooling in ("first", "mean"):
        torch.testing.assert_close(
            ours.words(1, batch, pooling)[words], theirs.words(1, batch, pooling)[words]
        )
    assert [state.shape[1] for state in ours.hidden] == [
        *[batch.input_ids.shape[1]] * 2,
        *[words.shape[1]] * 2,
    ]
    assert (ours.words(-1, batch, "first") - theirs.words(3, batch, "first"))[words].abs().max() > 0
    assert torch.equal(loaded.logits, ours.logits)
    flat = make_student(again, Student(layers=[0], vocabulary=10_000), vocabulary, alike(again))
    assert flat.pool_after is None


def test_pooled_rows_do_not_depend_on_padding(folder: Path, teacher: WordTagger):
    vocabulary = vocabulary_of(folder, 10_000)
    shape = Student(layers=[0, 1, 2], pool_after=1, vocabulary=10_000, positions=96)
    student = make_student(teacher, shape, vocabulary, alike(teacher)).eval()
    pieces = WordPieces(vocabulary.tokenizer)
    with torch.inference_mode():
        together = student(collate([plain_sentence(w, pieces) for w in WORDS[:9]], pieces)).logits
        for words, row in zip(WORDS[:9], together, strict=True):
            alone = student(collate([plain_sentence(words, pieces)], pieces)).logits[0]
            torch.testing.assert_close(row[: len(words)], alone)


def test_a_word_of_one_piece_is_pooled_to_itself(folder: Path, teacher: WordTagger):
    """Where every word has one piece, only the last special piece is lost."""
    vocabulary = vocabulary_of(folder, 10_000)
    whole = Student(layers=[0, 1, 2], vocabulary=10_000, positions=96)
    pieces = WordPieces(vocabulary.tokenizer)
    single = [w for words in WORDS for w in words if len(pieces.pieces([w])[0]) == 1][:6]
    batch = collate([plain_sentence(single, pieces)], pieces)
    flat = make_student(teacher, whole, vocabulary, alike(teacher)).eval()
    pooled = make_student(
        teacher, whole.model_copy(update={"pool_after": 1}), vocabulary, alike(teacher)
    ).eval()
    with torch.inference_mode():
        states = flat(batch).hidden
        mask = torch.ones(1, len(single) + 1)
        extended = flat.model.base_model.get_extended_attention_mask(mask, mask.shape)
        row = states[1][:, :-1]
        for layer in flat.model.base_model.encoder.layer[1:]:
            row = layer(row, extended)[0]
        torch.testing.assert_close(pooled(batch).hidden[-1], row[:, 1:])


@pytest.mark.parametrize("kind", ["bert", "xlm-roberta"])
def test_special_pieces_get_their_new_numbers(tmp_path: Path, kind: str):
    """In a vocabulary whose special pieces are not the first, the student's config follows.

    XLM-R counts the positions from the number of the padding piece.
    """
    text = toy_text()
    tokenizer = json.loads(trained_toy_tokenizer(text, kind="WordPiece", size=300))
    vocabulary = list(tokenizer["model"]["vocab"])
    special = [token["content"] for token in tokenizer["added_tokens"]]
    order = [piece for piece in vocabulary if piece not in special] + special
    ids = {piece: i for i, piece in enumerate(order)}
    tokenizer["model"]["vocab"] = ids
    for token in tokenizer["added_tokens"]:
        token["id"] = ids[token["content"]]
    for token in tokenizer["post_processor"]["special_tokens"].values():
        token["ids"] = [ids[name] for name in token["tokens"]]
    tokenizer = json.dumps(tokenizer).encode()
    folder = toy_encoder(tmp_path / "toy", tokenizer, kind=kind, layers=1, positions=400)
    teacher = load_tagger(folder, bio_tags(["LOC"])).eval()
    trimmed = trim_vocabulary((folder / "tokenizer.json").read_bytes(), [WORDS], len(order) - 30)
    shape = Student(layers=[0], vocabulary=len(order), positions=24)
    student = make_student(teacher, shape, trimmed, alike(teacher)).eval()
    assert student.max_pieces == 24
    assert_same_logits_of_kept_words(folder, teacher, trimmed, student)
    assert student.model.config.pad_token_id == WordPieces(trimmed.tokenizer).pad_id
    assert student.model.config.pad_token_id != teacher.model.config.pad_token_id


def full_for_weights(*args: object, **kwargs: object) -> None:
    raise SafetensorError("I/O error: No space left on device (os error 28)")


def full_for_text(*args: object, **kwargs: object) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize(
    ("kind", "method", "refuse"),
    [
        (PreTrainedModel, "save_pretrained", full_for_weights),
        (Path, "write_text", full_for_text),  # with the weights written and metrics to come
    ],
)
def test_full_disk_while_saving(
    tmp_path: Path,
    folder: Path,
    teacher: WordTagger,
    monkeypatch: pytest.MonkeyPatch,
    kind: type,
    method: str,
    refuse: Callable[..., None],
):
    monkeypatch.setattr(kind, method, refuse)
    tokenizer = (folder / "tokenizer.json").read_bytes()
    with pytest.raises(OpticalError, match=r"E003.*No space left on device.*Nothing was changed"):
        save_tagger(teacher, tokenizer, {}, tmp_path / "student")
    assert list(tmp_path.iterdir()) == []


def test_outputs_of_neurons_are_those_of_the_unchanged_teacher(folder: Path, teacher: WordTagger):
    pieces = WordPieces((folder / "tokenizer.json").read_bytes())
    sentences = [plain_sentence(words, pieces) for words in WORDS[:2]]
    base = teacher.model.base_model
    layers: list[list[torch.Tensor]] = [[] for _ in base.encoder.layer]
    for sentence in sentences:
        with torch.inference_mode():
            batch = collate([sentence], pieces)
            vectors = base(batch.input_ids, output_hidden_states=True).hidden_states
            for found, layer, given in zip(layers, base.encoder.layer, vectors, strict=False):
                found.append(layer.intermediate(layer.attention(given)[0])[0])
    for measured, found in zip(neuron_outputs(teacher, sentences, pieces), layers, strict=True):
        every = torch.cat(found)
        torch.testing.assert_close(measured.mean, every.mean(dim=0))
        torch.testing.assert_close(measured.variance, every.var(dim=0, correction=0))


def test_mean_of_removed_neurons_moves_to_the_bias(folder: Path):
    teacher = load_tagger(folder, bio_tags(["LOC", "PER"])).eval()
    half = teacher.model.config.intermediate_size // 2
    # The removed neurons have a constant output, so the student is the same as the teacher.
    for layer in teacher.model.base_model.encoder.layer:
        with torch.no_grad():
            layer.intermediate.dense.weight[half:] = 0.0
            layer.intermediate.dense.bias[half:] = 1.0
    tokenizer = (folder / "tokenizer.json").read_bytes()
    pieces = WordPieces(tokenizer)
    outputs = neuron_outputs(teacher, [plain_sentence(WORDS[0], pieces)], pieces)
    shape = Student(layers=[0, 1, 2, 3], intermediate=half, vocabulary=10_000, positions=96)
    vocabulary = vocabulary_of(folder, 10_000)
    student = make_student(teacher, shape, vocabulary, outputs).eval()
    torch.testing.assert_close(
        logits(student, vocabulary.tokenizer), logits(teacher, tokenizer), atol=1e-5, rtol=1e-4
    )
