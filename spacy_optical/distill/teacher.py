"""The teacher: a multilingual encoder that learns entities from English labels."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from accelerate.utils import set_seed

from ..data.docs import read_training_docs
from ..data.layout import CorpusFolder
from ..encoders.folder import CONFIG, TOKENIZER, WEIGHTS, check_encoder
from ..errors import Errors, OpticalError
from ..files import check_replaceable
from ..runtime.decode import bio_tags
from ..runtime.pieces import WordPieces
from . import objectives
from .config import DistillConfig
from .distributed import on_main
from .loop import Losses, by_length, train
from .provenance import provenance
from .sentences import Batch, Sentence, collate, labelled_sentences
from .tagger import WordTagger, load_tagger
from .tagger_evaluation import check_labels, entity_scores
from .tagger_folder import finished, save_tagger


class EnglishTask:
    """Gold labels on English sentences, nothing else."""

    def __init__(self, sentences: Sequence[Sentence], pieces: WordPieces, batch_size: int) -> None:
        self.sentences = sentences
        self.pieces = pieces
        self.batch_size = batch_size

    def batches(self, rng: np.random.Generator) -> list[Batch]:
        """Give every sentence once."""
        numbers = by_length([len(s) for s in self.sentences], self.batch_size, rng)
        return [collate([self.sentences[i] for i in batch], self.pieces) for batch in numbers]

    def losses(self, tagger: WordTagger, batch: Batch) -> Losses:
        """Give the cross-entropy to the gold tags."""
        return {"hard": objectives.hard(tagger(batch).logits, batch.tags, batch.also)}

    def split(self, batch: Batch, count: int) -> list[tuple[Batch, float]]:
        """Deal out the sentences in turn; a part counts by its words, as the mean does."""
        count = min(count, len(batch.tags))
        tensors = vars(batch).items()
        parts = [Batch(**{name: t[at::count] for name, t in tensors}) for at in range(count)]
        words = [int((part.tags >= 0).sum()) for part in parts]
        return [(part, n / sum(words)) for part, n in zip(parts, words, strict=True)]


def teach(
    config: DistillConfig,
    out: Path,
    *,
    resume: bool = False,
    say: Callable[[str], None] = lambda text: None,
) -> dict:
    """Fine-tune the encoder on English labels.

    config (DistillConfig): The config; `paths.encoder`, `paths.corpus` and `[teacher]` decide.
    out (Path): Folder to write: a Hugging Face token classifier with metrics.json.
    resume (bool): Continue an interrupted run; one that has ended is kept.
    say (Callable[[str], None]): Receives a line for each epoch.
    RETURNS (dict): The metrics.
    RAISES (OpticalError): If the encoder or the corpus is not whole, no sentence fits the window,
        the window does not fit the encoder, `out` holds something else, or as `train`.
    """
    out = Path(out)
    check_replaceable(out, marker=CONFIG)
    check_encoder(config.paths.encoder)
    corpus, window = CorpusFolder(config.paths.corpus), config.teacher.max_pieces
    docs, dev = read_training_docs(corpus.source_train), read_training_docs(corpus.source_dev)
    data = [corpus.source_train, corpus.source_dev, config.paths.encoder / WEIGHTS]
    record = provenance(config, "teacher", data)
    if resume and (made := on_main(lambda: finished(out, record["fingerprint"]))):
        say(f"{out} was made from the same already")
        return made
    tokenizer = (config.paths.encoder / TOKENIZER).read_bytes()
    pieces = WordPieces(tokenizer)
    labels = sorted({entity.label_ for doc in docs for entity in doc.ents})
    check_labels(dev, labels, corpus.source_dev)
    tags = bio_tags(labels)
    sentences = labelled_sentences(docs, pieces, tags, window)
    if len(sentences) < len(docs):
        say(f"{len(docs) - len(sentences)} English sentences are empty or too long; left out")
    set_seed(config.seed)  # the new classifier's weights are drawn at random
    tagger = load_tagger(config.paths.encoder, list(tags))
    if window > tagger.max_pieces:
        raise OpticalError(Errors.E413.format(most=window, positions=tagger.max_pieces))
    if config.teacher.freeze_embeddings:
        tagger.freeze_embeddings()
    history = train(
        tagger,
        EnglishTask(sentences, pieces, config.teacher.batch_size),
        config.teacher,
        seed=config.seed,
        fingerprint=record["fingerprint"],
        folder=out.with_name(f"{out.name}-checkpoint"),
        evaluate=lambda model: entity_scores(model, dev, pieces)["ents_f"],
        resume=resume,
        say=say,
    )
    metrics = {**record, "epochs": history.rows, "kept_epoch": history.best + 1}
    metrics["english_dev"] = on_main(lambda: entity_scores(tagger, dev, pieces))
    on_main(lambda: save_tagger(tagger, tokenizer, metrics, out))
    return metrics
