"""Training of the teacher: a multilingual encoder, fine-tuned on English labels."""

from collections.abc import Callable
from pathlib import Path

from accelerate.utils import send_to_device, set_seed

from ..data.docs import read_training_docs
from ..data.layout import CorpusFolder
from ..encoders.folder import CONFIG, TOKENIZER, WEIGHTS, check_encoder
from ..errors import Errors, OpticalError
from ..files import check_no_input, check_replaceable
from ..runtime.decode import bio_tags
from ..runtime.pieces import WordPieces
from . import objectives
from .config import DistillConfig
from .distributed import on_main
from .loop import Losses, SentenceTask, train
from .provenance import provenance
from .sentences import collate, labelled_sentences
from .tagger import WordTagger, finished, load_tagger, save_tagger
from .tagger_evaluation import check_labels, entity_scores


class EnglishTask(SentenceTask):
    """Cross-entropy to gold labels on English sentences."""

    def losses(self, tagger: WordTagger, batch: list[int]) -> Losses:
        """Compute the cross-entropy to the gold tags."""
        padded = collate([self.sentences[i] for i in batch], self.pieces)
        padded = send_to_device(padded, tagger.device)
        return {"hard": objectives.hard(tagger(padded).logits, padded.tags, padded.also)}


def teach(
    config: DistillConfig,
    out: Path,
    *,
    resume: bool = False,
    say: Callable[[str], None] = lambda text: None,
) -> dict:
    """Fine-tune the encoder on English labels.

    config (DistillConfig): The config.
    out (Path): Folder to write: a Hugging Face token classifier with metrics.json.
    resume (bool): Continue an interrupted run. The result of a finished run is kept.
    say (Callable[[str], None]): Receives a line for each epoch.
    RETURNS (dict): The metrics.
    RAISES (OpticalError): If the encoder or the corpus is incomplete, no sentence fits the window,
        the window does not fit the encoder, `out` holds something else, or as `train`.
    """
    out = Path(out)
    check_replaceable(out, marker=CONFIG)
    check_no_input(out, [config.paths.encoder])
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
    set_seed(config.seed)  # of the new classifier's weights
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
