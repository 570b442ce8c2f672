"""Training of a student from a teacher and the plans."""

from collections.abc import Callable
from itertools import chain, islice
from pathlib import Path

from ..data.docs import read_training_docs
from ..data.layout import CorpusFolder
from ..encoders.folder import CONFIG, TOKENIZER, WEIGHTS
from ..encoders.vocabulary_trimming import trim_vocabulary
from ..files import check_no_input, check_replaceable
from ..runtime.pieces import WordPieces
from .calibrate import calibrate
from .config import DistillConfig, load_config
from .distributed import on_main
from .loop import train
from .plan_reader import read_plans
from .provenance import provenance
from .sentences import plain_sentence
from .student import check_shape, find_width_pruning, make_student, neuron_outputs
from .tagger import finished, folder_tags, load_tagger, save_tagger
from .tagger_evaluation import check_labels, entity_scores
from .training_batches import StudentTask

# Sentences of each side on which the teacher's neurons are measured.
SAMPLE = 280


def distill(
    config: str | Path | DistillConfig,
    teacher: str | Path,
    out: str | Path,
    *,
    resume: bool = False,
    say: Callable[[str], None] = lambda text: None,
) -> dict:
    """Train a student from a teacher and the plans.

    config (Union[str, Path, DistillConfig]): The config file, or a config from `load_config`.
    teacher (Union[str, Path]): The teacher's folder.
    out (Union[str, Path]): Folder to write: a Hugging Face token classifier with metrics.json.
    resume (bool): Continue an interrupted run. The result of a finished run is kept.
    say (Callable[[str], None]): Receives a line for each epoch.
    RETURNS (dict): The metrics.
    RAISES (OpticalError): If the teacher, the plans or the data are missing or do not match, or as
        `train`.
    """
    if isinstance(config, str | Path):
        config = load_config(Path(config))
    teacher, out = Path(teacher), Path(out)
    check_replaceable(out, marker=CONFIG)
    check_no_input(out, [teacher, config.paths.encoder])
    corpus = CorpusFolder(config.paths.corpus)
    dev = read_training_docs(corpus.source_dev)
    check_labels(dev, {tag[2:] for tag in folder_tags(teacher)[1:]}, corpus.source_dev)
    english, plans = read_plans(config, teacher)
    weights = (teacher / WEIGHTS, config.paths.encoder / WEIGHTS)
    bitext = chain.from_iterable(map(corpus.target_files, config.data.languages))
    data = [corpus.source_train, corpus.source_dev, *weights, *bitext]
    record = provenance(config, "student", data)
    if resume and (made := on_main(lambda: finished(out, record["fingerprint"]))):
        say(f"{out} was made from the same already")
        return made
    big = load_tagger(teacher)
    check_shape(big, config.student)
    tokenizer = (teacher / TOKENIZER).read_bytes()
    sources = (one.words("source-words") for one in plans.values())
    in_source = chain((sentence.words for sentence in english.sentences), *sources)
    in_targets = (one.words("target-words") for one in plans.values())
    vocabulary = trim_vocabulary(tokenizer, [in_source, *in_targets], config.student.vocabulary)
    big_pieces, sample = WordPieces(tokenizer), english.sentences[:SAMPLE]
    for one in plans.values():
        some = islice(one.words("target-words"), SAMPLE // len(plans))
        sample += [plain_sentence(words, big_pieces) for words in some]
    outputs, pruning = neuron_outputs(big, sample, big_pieces), None
    width = config.student.width
    if width and width != big.model.config.hidden_size:
        pruning = find_width_pruning(big, config.student.layers, width, sample, big_pieces)
    student = make_student(big, config.student, vocabulary, outputs, pruning)
    del big
    if config.training.freeze_embeddings:
        student.freeze_embeddings()
    pieces = WordPieces(vocabulary.tokenizer)
    task = StudentTask(config, english, plans, pieces)
    count = sum(p.numel() for p in student.parameters())
    size = f"{count / 1e6:.1f} M parameters, {len(vocabulary.old_ids)} pieces"
    say(f"{size}, {len(task.rows)} pairs")
    history = train(
        student,
        task,
        config.training,
        seed=config.seed if config.training.seed is None else config.training.seed,
        fingerprint=record["fingerprint"],
        folder=out.with_name(f"{out.name}-checkpoint"),
        evaluate=lambda model: entity_scores(model, dev, pieces)["ents_f"],
        resume=resume,
        say=say,
    )
    metrics = {**record, "epochs": history.rows, "kept_epoch": history.best + 1}
    metrics["parameters"] = count
    metrics["calibration"] = on_main(lambda: calibrate(student, dev, pieces))
    metrics["english_dev"] = on_main(lambda: entity_scores(student, dev, pieces))
    on_main(lambda: save_tagger(student, vocabulary.tokenizer, metrics, out))
    return metrics
