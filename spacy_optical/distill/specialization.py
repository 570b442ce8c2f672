"""Language-adaptive pre-training: an encoder reads raw text of a language before it teaches.

The method is that of Chau and Smith (2021), Specializing Multilingual Language Models
(arXiv 2106.09063), without their changes of the vocabulary.
"""

import hashlib
import json
from collections.abc import Callable
from itertools import accumulate
from pathlib import Path
from typing import Any

from accelerate.utils import set_seed
from tokenizers import Tokenizer
from transformers import AutoModel, logging

from ..data.lines import read_lines
from ..data.word_tokenizer import tokenizer_for
from ..encoders.folder import CONFIG, TOKENIZER, WEIGHTS, check_encoder, most_pieces
from ..errors import Errors, OpticalError
from ..files import check_no_input, check_replaceable, sha256
from ..runtime.pieces import WordPieces
from ..runtime.word_tokens import word_tokens
from .config import Training
from .distributed import on_main
from .loop import train
from .masked_words import MaskedWordModel, MaskedWordTask, held_out_loss
from .provenance import surroundings
from .sentences import Sentence, plain_sentence
from .tagger import ATTENTION, finished, save_tagger

HELD_OUT = 50  # one of so many sentences is held out
LEAST_WORDS = 4
# The encoder is frozen for so many batches: its new head would damage it.
HEAD_BATCHES = 300
HEAD_RATE = 0.001
MASKS = ("<mask>", "[MASK]")


def specialize(
    encoder: str | Path,
    text: str | Path,
    out: str | Path,
    *,
    english: str | Path | None = None,
    language: str = "xx",
    epochs: int = 2,
    batch_size: int = 32,
    learning_rate: float = 0.0002,
    max_pieces: int = 96,
    seed: int = 0,
    resume: bool = False,
    say: Callable[[str], None] = lambda text: None,
) -> dict[str, Any]:
    """Train an encoder to predict masked words of raw text in a language.

    encoder (Union[str, Path]): The folder of the encoder.
    text (Union[str, Path]): A text file with one sentence per line, UTF-8, also gzipped. Sentences
        of less than four words and repeated ones are left out. Every 50th one is held out.
    out (Union[str, Path]): The folder to write: an encoder with metrics.json.
    english (Optional[Union[str, Path]]): A file like `text` in English or other languages that the
        encoder should not forget.
    language (str): The language code of `text`, which selects the tokenizer.
    epochs (int): The number of passes.
    batch_size (int): The number of sentences in a batch.
    learning_rate (float): The highest learning rate.
    max_pieces (int): The maximum number of pieces of a sentence. Longer ones are cut.
    seed (int): The seed of order and masks.
    resume (bool): Continue an interrupted run. The result of a finished run is kept.
    say (Callable[[str], None]): Receives a line for each epoch.
    RETURNS (Dict[str, Any]): The metrics. `held_out` has the loss on held-out sentences in nats per
        piece, before (with a trained head) and after.
    RAISES (OpticalError): If the encoder is incomplete, its tokenizer has no mask, a text cannot be
        read or is too short, `out` holds something else, or as `train`.
    """
    encoder, text, out = Path(encoder), Path(text), Path(out)
    texts = [text, *([Path(english)] if english is not None else [])]
    check_replaceable(out, marker=CONFIG)
    check_no_input(out, [encoder, *texts])
    check_encoder(encoder)
    settings = Training(
        epochs=epochs,
        batch_size=batch_size,
        learning_rate=learning_rate,
        dropout=0.0,
        max_pieces=max_pieces,
        select="last",
    )
    lines = [_lines(path) for path in texts]
    files = zip(("encoder", "text", "english"), (encoder / WEIGHTS, *texts), strict=False)
    data = {name: sha256(path) for name, path in files}
    made = {"settings": settings.model_dump(mode="json"), "seed": seed, "language": language}
    content = json.dumps([made, list(data.values())], sort_keys=True)
    fingerprint = hashlib.sha256(content.encode("utf8")).hexdigest()[:16]
    if resume and (known := on_main(lambda: finished(out, fingerprint))):
        say(f"{out} was made from the same already")
        return known
    tokenizer = (encoder / TOKENIZER).read_bytes()
    pieces = WordPieces(tokenizer)
    library = Tokenizer.from_buffer(tokenizer)
    mask = next((found for name in MASKS if (found := library.token_to_id(name)) is not None), None)
    if mask is None:
        raise OpticalError(Errors.E421.format(path=encoder / TOKENIZER))
    most = max_pieces - pieces.frame
    own = _sentences(lines[0], language, pieces, most)
    others = [one for part in lines[1:] for one in _sentences(part, "en", pieces, most)]
    held = own[::HELD_OUT]
    sentences = [one for at, one in enumerate(own) if at % HELD_OUT] + others
    if len(own) < 2:
        raise OpticalError(Errors.E422.format(path=text, least=LEAST_WORDS))
    logging.set_verbosity_error()
    set_seed(seed)  # of the new head's weights
    network = AutoModel.from_pretrained(
        encoder, attn_implementation=ATTENTION, local_files_only=True, add_pooling_layer=False
    )
    if max_pieces > (positions := most_pieces(network)):
        raise OpticalError(Errors.E413.format(most=max_pieces, positions=positions))
    every = [*held, *sentences]
    seen = {piece for one in every for word in one.pieces for piece in word}
    model = MaskedWordModel(network, seen | {*pieces.prefix, *pieces.suffix}, mask)

    def run(name: str, training: Training, most: int | None) -> list[dict[str, float]]:
        return train(
            model,
            MaskedWordTask(sentences, pieces, batch_size, most),
            training,
            seed=seed,
            fingerprint=f"{fingerprint}-{name}",
            folder=out.with_name(f"{out.name}-{name}-checkpoint"),
            evaluate=lambda tagger: held_out_loss(model, held, pieces, batch_size),
            measure="held_out",
            resume=resume,
            say=say,
        ).rows

    model.train_head_only(True)
    head = settings.model_copy(update={"epochs": 1, "learning_rate": HEAD_RATE})
    before = run("head", head, HEAD_BATCHES)
    model.train_head_only(False)
    rows = run("masked", settings, None)
    model.finish()
    metrics = {
        "stage": "specialize",
        "fingerprint": fingerprint,
        **made,
        "data": data,
        "sentences": {"own": len(own), "others": len(others)},
        **_pieces_of(own, pieces),
        "held_out": {"before": before[-1]["held_out"], "after": rows[-1]["held_out"]},
        "epochs": rows,
        **surroundings(),
    }
    on_main(lambda: save_tagger(model, tokenizer, metrics, out))
    return metrics


def _lines(path: Path) -> list[str]:
    lines = dict.fromkeys(line.text for line in read_lines(path, "text", skip_blank=True))
    return [line for line in lines if len(line.split()) >= LEAST_WORDS]


def _sentences(lines: list[str], language: str, pieces: WordPieces, most: int) -> list[Sentence]:
    tokenizer, sentences = tokenizer_for(language), []
    for line in lines:
        whole = plain_sentence((token.text for token in word_tokens(tokenizer(line))), pieces)
        end = sum(total <= most for total in accumulate(map(len, whole.pieces)))
        if end:
            sentences.append(Sentence(whole.words[:end], whole.pieces[:end]))
    return sentences


def _pieces_of(sentences: list[Sentence], pieces: WordPieces) -> dict[str, float]:
    words = [word for sentence in sentences for word in sentence.pieces]
    unknown = sum(pieces.unk_id in word for word in words)
    return {
        "pieces_per_word": sum(map(len, words)) / len(words),
        "unknown_words": unknown / len(words),
    }
